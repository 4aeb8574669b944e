/** The services of Envoy's API that are served, with their methods. `fetch`: unary. */
export const discoveryServices = {
  "envoy.service.discovery.v3.AggregatedDiscoveryService": {
    stateOfTheWorld: "StreamAggregatedResources",
    delta: "DeltaAggregatedResources",
    fetch: undefined,
  },
  "envoy.service.secret.v3.SecretDiscoveryService": {
    stateOfTheWorld: "StreamSecrets",
    delta: "DeltaSecrets",
    fetch: "FetchSecrets",
  },
} as const;

/** The full name of one of them. */
export type ServiceName = keyof typeof discoveryServices;

/** ADS: all types on one stream. */
export const aggregatedService = "envoy.service.discovery.v3.AggregatedDiscoveryService" satisfies ServiceName;
