/** What a case says of providers and of the services that the control plane knows. */
export interface CaseServices {
  readonly mesh?: { readonly extensionProviders?: readonly unknown[] };
  /** Every host that a provider names, if not said. */
  readonly services?: readonly { readonly host: string; readonly namespace: string; readonly port: number }[];
}

interface NamedService {
  readonly provider: string;
  readonly namespace: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** A port at which nobody listens: discard. */
const NOWHERE = 9;

/**
 * The ServiceEntries of a case, whose ports lead to loopback ports: `portOf` tells at which a provider was started. Hosts that a provider names
 * without a namespace are in `default`.
 */
export function caseServiceEntries(
  setting: CaseServices,
  portOf: (provider: string) => number | undefined,
): readonly object[] {
  const named = (setting.mesh?.extensionProviders ?? []).flatMap(namedService);
  const known =
    setting.services ?? named.map(({ namespace, host, port }) => ({ namespace: namespace ?? "default", host, port }));
  const byHost = Map.groupBy(known, ({ namespace, host }) => `${namespace}/${host}`);
  return [...byHost.values()].map((services, i) => {
    const { namespace, host } = services[0]!;
    const ports = [...new Set(services.map(({ port }) => port))];
    const loopback = (port: number) => {
      const asked = named.find(
        (one) => one.host === host && one.port === port && (one.namespace ?? namespace) === namespace,
      );
      return (asked && portOf(asked.provider)) ?? NOWHERE;
    };
    return {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: `service-${i}`, namespace },
      spec: {
        hosts: [host],
        ports: ports.map((number) => ({ number, name: `p-${number}`, protocol: "GRPC" })),
        resolution: "STATIC",
        endpoints: [
          { address: "127.0.0.1", ports: Object.fromEntries(ports.map((port) => [`p-${port}`, loopback(port)])) },
        ],
      },
    };
  });
}

function namedService(entry: unknown): NamedService[] {
  const { name, envoyExtAuthzHttp, envoyExtAuthzGrpc } = entry as Readonly<Record<string, unknown>>;
  const options = (envoyExtAuthzHttp ?? envoyExtAuthzGrpc) as
    | { readonly service?: unknown; readonly port?: unknown }
    | undefined;
  if (typeof name !== "string" || typeof options?.service !== "string" || typeof options.port !== "number") return [];
  const slash = options.service.indexOf("/");
  return [
    {
      provider: name,
      namespace: slash < 0 ? undefined : options.service.slice(0, slash),
      host: options.service.slice(slash + 1),
      port: options.port,
    },
  ];
}
