import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";
import {
  CheckSettingsSchema,
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from "#platform/envoy-api/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { bodyMetadata, requestBody } from "./attribute-metadata.ts";
import { type GrpcServiceOptions, grpcService } from "./grpc-service.ts";

/** The name under which per-route settings and dynamic metadata are found. */
export const HTTP_EXT_AUTHZ = "envoy.filters.http.ext_authz";

export interface HttpExtAuthzOptions extends GrpcServiceOptions {
  /** Key of the node's metadata that holds the workload's labels, for `destination.labels`. */
  readonly labelsKey?: string;
  /** Namespaces of dynamic metadata to send, for `when: experimental.envoy.filters.…`. */
  readonly metadataNamespaces?: readonly string[];
  /**
   * Send bodies too, up to so many bytes and what is longer cut: for extension providers with `includeRequestBodyInCheck`. One byte more
   * than the largest `maxRequestBytes` of theirs, so that a body that is just as long is told from a longer one.
   */
  readonly bodyBytes?: number;
}

/**
 * The HTTP filter that asks Garita over gRPC about every request.
 *
 * Headers go raw, line by line; the TLS session and the peer's certificate go along (the certificate is needed for peers with
 * several URI or DNS names). Fails closed: without an answer the client gets 403.
 */
export function httpExtAuthz(options: HttpExtAuthzOptions): HttpFilter {
  const { bodyBytes } = options;
  const filter = create(ExtAuthzSchema, {
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: false,
    encodeRawHeaders: true,
    includeTlsSession: true,
    includePeerCertificate: true,
    bootstrapMetadataLabelsKey: options.labelsKey ?? "",
    metadataContextNamespaces: [...(options.metadataNamespaces ?? [])],
    ...(bodyBytes === undefined ? {} : { withRequestBody: requestBody(bodyBytes) }),
    services: {
      case: "grpcService",
      value: grpcService(options, bodyBytes === undefined ? [] : [bodyMetadata(bodyBytes)]),
    },
  });
  return create(HttpFilterSchema, {
    name: HTTP_EXT_AUTHZ,
    configType: { case: "typedConfig", value: anyPack(ExtAuthzSchema, filter) },
  });
}

/**
 * Settings of a virtual host or route for `typed_per_filter_config`: the context extensions by which Garita knows the workload.
 * No client can write them. The HTTP service does not get them.
 */
export function httpExtAuthzSettings(contextExtensions: { readonly [name: string]: string }) {
  const checkSettings = create(CheckSettingsSchema, { contextExtensions: { ...contextExtensions } });
  const settings = create(ExtAuthzPerRouteSchema, { override: { case: "checkSettings", value: checkSettings } });
  return { [HTTP_EXT_AUTHZ]: anyPack(ExtAuthzPerRouteSchema, settings) };
}
