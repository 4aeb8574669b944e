import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "#platform/envoy-api/gen/envoy/config/cluster/v3/cluster_pb";
import type { TransportSocket } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import { HttpProtocolOptionsSchema } from "#platform/envoy-api/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb";
import { duration } from "./duration.ts";
import { type Endpoint, envoyAddress } from "./socket-address.ts";
import { type UpstreamTlsOptions, upstreamTls } from "./tls-contexts.ts";

export interface ClusterOptions {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** HTTP/2, as gRPC needs it, or HTTP/1.1. */
  readonly protocol: "http2" | "http1";
  /** Undefined: plaintext, for loopback and Unix sockets. */
  readonly tls?: UpstreamTlsOptions;
  /** Instead of `tls`: with the workload's own certificate (`workloadClientTls`). */
  readonly workloadTls?: TransportSocket;
}

const HTTP_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** The cluster in which Garita listens; also good for an application behind Envoy. */
export function cluster(options: ClusterOptions): Cluster {
  const { name, endpoint } = options;
  const transportSocket = options.workloadTls ?? (options.tls && upstreamTls(options.tls));
  const byAddress = "path" in endpoint || isIP(endpoint.address) !== 0;
  const protocol = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: {
        protocolConfig:
          options.protocol === "http2"
            ? { case: "http2ProtocolOptions", value: {} }
            : { case: "httpProtocolOptions", value: {} },
      },
    },
  });
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: {
      case: "type",
      value: byAddress ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.STRICT_DNS,
    },
    connectTimeout: duration(1000),
    ...(options.protocol === "http2"
      ? { typedExtensionProtocolOptions: { [HTTP_PROTOCOL_OPTIONS]: anyPack(HttpProtocolOptionsSchema, protocol) } }
      : {}),
    ...(transportSocket === undefined ? {} : { transportSocket }),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: envoyAddress(endpoint) } } }] },
      ],
    },
  });
}
