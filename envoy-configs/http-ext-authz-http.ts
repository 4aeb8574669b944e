import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";
import { ExtAuthzSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import {
  attributeMetadata,
  bodyMetadata,
  bracketed,
  issuerMetadata,
  METADATA_PREFIX,
  requestBody,
} from "./attribute-metadata.ts";
import { duration } from "./duration.ts";
import { HTTP_EXT_AUTHZ } from "./http-ext-authz.ts";

export interface HttpServiceOptions {
  /** Envoy's cluster in which Garita listens for HTTP. */
  readonly cluster: string;
  readonly timeoutMillis?: number;
  /** Put in front of the request's path; Garita's listener must be told the same (`pathPrefix`). */
  readonly pathPrefix?: string;
  /** What Garita's listener demands in `x-garita-secret` (`secretFile`). */
  readonly secret?: string;
  /**
   * Headers of Garita's allowing answer that the upstream gets, those made of claims and those that CUSTOM providers set: at least all of
   * `upstreamHeaders` of Garita's listener. Of a name that is missing here, a client's own copy would pass.
   */
  readonly upstreamHeaders?: readonly string[];
  /** Send `x-garita-issuer` too: only with Envoy 1.38 or later. */
  readonly issuer?: boolean;
  /** As over gRPC. */
  readonly bodyBytes?: number;
}

/** A header that is not sent would look absent to policies, so every one is sent. */
const EVERY_HEADER = ".*";

/** Envoy knows names in lower case, and compares as they are written. */
const exactly = (name: string) => ({ matchPattern: { case: "exact" as const, value: name.toLowerCase() } });

/**
 * The HTTP filter that asks Garita over HTTP/1.1. For where gRPC cannot be had: no context extensions, no certificate, duplicate
 * headers joined, and a path that Garita would have to normalise is refused instead.
 *
 * Garita's listener believes the added headers only with `attributeHeaders: true`.
 */
export function httpServiceExtAuthz(options: HttpServiceOptions): HttpFilter {
  const lines = options.issuer === true ? [...attributeMetadata, issuerMetadata] : attributeMetadata;
  const added = lines.map((line) => ({ key: line.key, value: bracketed(line) }));
  if (options.secret !== undefined) added.push({ key: `${METADATA_PREFIX}secret`, value: options.secret });
  if (options.bodyBytes !== undefined) added.push(bodyMetadata(options.bodyBytes));
  const upstreamHeaders = options.upstreamHeaders ?? [];
  const filter = create(ExtAuthzSchema, {
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: false,
    allowedHeaders: { patterns: [{ matchPattern: { case: "safeRegex", value: { regex: EVERY_HEADER } } }] },
    ...(options.bodyBytes === undefined ? {} : { withRequestBody: requestBody(options.bodyBytes) }),
    disallowedHeaders: { patterns: [{ matchPattern: { case: "prefix", value: METADATA_PREFIX } }] },
    services: {
      case: "httpService",
      value: {
        serverUri: {
          uri: `http://${options.cluster}`,
          httpUpstreamType: { case: "cluster", value: options.cluster },
          timeout: duration(options.timeoutMillis ?? 1000),
        },
        pathPrefix: options.pathPrefix ?? "",
        authorizationRequest: { headersToAdd: added },
        ...(upstreamHeaders.length === 0
          ? {}
          : { authorizationResponse: { allowedUpstreamHeaders: { patterns: upstreamHeaders.map(exactly) } } }),
      },
    },
  });
  return create(HttpFilterSchema, {
    name: HTTP_EXT_AUTHZ,
    configType: { case: "typedConfig", value: anyPack(ExtAuthzSchema, filter) },
  });
}
