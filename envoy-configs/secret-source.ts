import { create } from "@bufbuild/protobuf";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";
import type { SdsSecretConfig } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import { SdsSecretConfigSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import { duration } from "./duration.ts";

/** The cluster with the socket of the agent beside this Envoy; every configuration that takes secrets has it. */
export const AGENT_CLUSTER = "garita-agent";

/** The caller's own key, and the bundle of its trust domain: the names under which the agent gives them. */
export const OWN_KEY = "default";
export const OWN_BUNDLE = "ROOTCA";

/**
 * INVARIANT: these bytes never change. Envoy keeps a secret by its name and the bytes of its source: with others, also of another timeout alone, it subscribes
 * anew and may lose the secret that it has (envoyproxy/envoy#46155, #47309).
 *
 * A timeout of 0 waits as long as it takes: after another one a listener would open without a certificate, and reset every connection.
 */
const agentSource: ConfigSource = create(ConfigSourceSchema, {
  resourceApiVersion: ApiVersion.V3,
  initialFetchTimeout: duration(0),
  configSourceSpecifier: {
    case: "apiConfigSource",
    value: {
      apiType: ApiConfigSource_ApiType.GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [{ targetSpecifier: { case: "envoyGrpc", value: { clusterName: AGENT_CLUSTER } } }],
    },
  },
});

/** A secret of this name, taken from the agent. */
export function agentSecret(name: string): SdsSecretConfig {
  return create(SdsSecretConfigSchema, { name, sdsConfig: agentSource });
}
