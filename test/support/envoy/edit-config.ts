import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** The connection manager of an HTTP listener in Envoy's JSON, to change what our builders do not offer. */
export function connectionManager(config: JsonValue, listener: string): JsonObject {
  return filters(config, listener)[0]?.["typed_config"] as JsonObject;
}

/** The settings of the filter that asks Garita, HTTP or TCP. */
export function authorizationFilter(config: JsonValue, listener: string): JsonObject {
  const [first] = filters(config, listener);
  const settings = first?.["typed_config"] as JsonObject;
  const [http] = (settings["http_filters"] ?? []) as JsonObject[];
  return http === undefined ? settings : (http["typed_config"] as JsonObject);
}

/** The network filters of a listener. */
export function filters(config: JsonValue, listener: string): JsonObject[] {
  const found = named(config, "listeners", listener);
  const [chain] = found["filter_chains"] as JsonObject[];
  return chain?.["filters"] as JsonObject[];
}

/** A cluster of the configuration. */
export function clusterOf(config: JsonValue, name: string): JsonObject {
  return named(config, "clusters", name);
}

/** Sets the one line of gRPC metadata of that name that goes with every check; without a value there is none. */
export function setInitialMetadata(config: JsonValue, listener: string, key: string, value: string | undefined): void {
  const service = authorizationFilter(config, listener)["grpc_service"] as JsonObject;
  const others = ((service["initial_metadata"] ?? []) as JsonObject[]).filter((line) => line["key"] !== key);
  service["initial_metadata"] = value === undefined ? others : [...others, { key, value }];
}

function named(config: JsonValue, kind: string, name: string): JsonObject {
  const resources = (config as JsonObject)["static_resources"] as JsonObject;
  const found = (resources[kind] as JsonObject[]).find((one) => one["name"] === name);
  if (found === undefined) throw new Error(`no ${name} among the ${kind}`);
  return found;
}
