import { create } from "@bufbuild/protobuf";
import { type Bootstrap, BootstrapSchema } from "#platform/envoy-api/gen/envoy/config/bootstrap/v3/bootstrap_pb";
import type { Cluster } from "#platform/envoy-api/gen/envoy/config/cluster/v3/cluster_pb";
import type { Listener } from "#platform/envoy-api/gen/envoy/config/listener/v3/listener_pb";
import { type Endpoint, envoyAddress } from "./socket-address.ts";

export interface BootstrapOptions {
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
  /** Envoy's admin interface; loopback only. Undefined: none. */
  readonly admin?: Endpoint;
  readonly node?: {
    readonly id: string;
    readonly cluster: string;
    /** Under `labelsKey`: labels that Garita gets as `destination.labels`. */
    readonly labels?: { readonly key: string; readonly values: { readonly [name: string]: string } };
  };
}

/** A complete configuration of an Envoy that takes nothing from a control plane. */
export function bootstrap(options: BootstrapOptions): Bootstrap {
  const { node, admin } = options;
  const labels = node?.labels;
  return create(BootstrapSchema, {
    ...(node === undefined
      ? {}
      : {
          node: {
            id: node.id,
            cluster: node.cluster,
            ...(labels === undefined ? {} : { metadata: { [labels.key]: { ...labels.values } } }),
          },
        }),
    ...(admin === undefined ? {} : { admin: { address: envoyAddress(admin) } }),
    staticResources: { listeners: [...options.listeners], clusters: [...options.clusters] },
  });
}
