import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";
import { type Filter, FilterSchema } from "#platform/envoy-api/gen/envoy/config/listener/v3/listener_components_pb";
import { ExtAuthzSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb";
import { type GrpcServiceOptions, grpcService } from "./grpc-service.ts";

export interface NetworkExtAuthzOptions extends GrpcServiceOptions {
  readonly statPrefix: string;
  /** Key of the node's metadata that holds the workload's `garita.dev/…` names: on TCP the only way to say them in Envoy. */
  readonly labelsKey?: string;
}

/**
 * The TCP filter that asks Garita about every connection, at the client's first byte. What a server says before that reaches a
 * client that is refused afterwards: protocols in which the server speaks first are not protected.
 */
export function networkExtAuthz(options: NetworkExtAuthzOptions): Filter {
  const filter = create(ExtAuthzSchema, {
    statPrefix: options.statPrefix,
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: false,
    includeTlsSession: true,
    includePeerCertificate: true,
    bootstrapMetadataLabelsKey: options.labelsKey ?? "",
    grpcService: grpcService(options),
  });
  return create(FilterSchema, {
    name: "envoy.filters.network.ext_authz",
    configType: { case: "typedConfig", value: anyPack(ExtAuthzSchema, filter) },
  });
}
