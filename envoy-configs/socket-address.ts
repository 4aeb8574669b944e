import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AddressSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/address_pb";

/** Where something listens: an address and a port, or the path of a Unix socket. */
export type Endpoint = { readonly address: string; readonly port: number } | { readonly path: string };

/** The endpoint as an `envoy.config.core.v3.Address`. */
export function envoyAddress(endpoint: Endpoint): MessageInitShape<typeof AddressSchema> {
  if ("path" in endpoint) return { address: { case: "pipe", value: { path: endpoint.path } } };
  const { address, port } = endpoint;
  return {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  };
}
