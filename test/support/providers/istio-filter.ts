import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";
import { type Filter, FilterSchema } from "#platform/envoy-api/gen/envoy/config/listener/v3/listener_components_pb";
import { ExtAuthzSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import {
  type ListStringMatcher,
  ListStringMatcherSchema,
  type StringMatcher,
  StringMatcherSchema,
} from "#platform/envoy-api/gen/envoy/type/matcher/v3/string_pb";
import type { StatusCode } from "#platform/envoy-api/gen/envoy/type/v3/http_status_pb";

/** The options of MeshConfig that the filter is made of. */
export interface IstioProviderOptions {
  readonly timeoutSeconds?: number;
  readonly failOpen?: boolean;
  readonly statusOnError?: number;
  readonly includeRequestBodyInCheck?: {
    readonly maxRequestBytes: number;
    readonly allowPartialMessage?: boolean;
    readonly packAsBytes?: boolean;
  };
  readonly pathPrefix?: string;
  readonly includeHeadersInCheck?: readonly string[];
  readonly includeRequestHeadersInCheck?: readonly string[];
  readonly includeAdditionalHeadersInCheck?: Readonly<Record<string, string>>;
  readonly headersToUpstreamOnAllow?: readonly string[];
  readonly headersToDownstreamOnAllow?: readonly string[];
  readonly headersToDownstreamOnDeny?: readonly string[];
}

/** The ext_authz filter that Istio generates for a provider, without the condition that a CUSTOM rule matched. */
export function istioExtAuthz(
  kind: "http" | "grpc",
  options: IstioProviderOptions,
  cluster: string,
  host: string,
): HttpFilter {
  const timeout = {
    seconds: BigInt(Math.floor(options.timeoutSeconds ?? 600)),
    nanos: nanosOf(options.timeoutSeconds),
  };
  const added = Object.entries(options.includeAdditionalHeadersInCheck ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const allowed = matchers(options.includeRequestHeadersInCheck) ?? matchers(options.includeHeadersInCheck);
  const filter = create(ExtAuthzSchema, {
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: options.failOpen ?? false,
    ...(options.statusOnError === undefined ? {} : { statusOnError: { code: options.statusOnError as StatusCode } }),
    ...(options.includeRequestBodyInCheck === undefined ? {} : { withRequestBody: options.includeRequestBodyInCheck }),
    ...(kind === "http" && allowed !== undefined ? { allowedHeaders: allowed } : {}),
    services:
      kind === "grpc"
        ? {
            case: "grpcService",
            value: {
              timeout,
              targetSpecifier: { case: "envoyGrpc", value: { clusterName: cluster, authority: host } },
            },
          }
        : {
            case: "httpService",
            value: {
              pathPrefix: options.pathPrefix ?? "",
              serverUri: { uri: `http://${host}`, timeout, httpUpstreamType: { case: "cluster", value: cluster } },
              ...(added.length === 0
                ? {}
                : { authorizationRequest: { headersToAdd: added.map(([key, value]) => ({ key, value })) } }),
              authorizationResponse: {
                ...matched("allowedUpstreamHeaders", options.headersToUpstreamOnAllow),
                ...matched("allowedClientHeaders", options.headersToDownstreamOnDeny),
                ...matched("allowedClientHeadersOnSuccess", options.headersToDownstreamOnAllow),
              },
            },
          },
  });
  return create(HttpFilterSchema, {
    name: "envoy.filters.http.ext_authz",
    configType: { case: "typedConfig", value: anyPack(ExtAuthzSchema, filter) },
  });
}

/** The same for TCP, where Istio asks gRPC providers alone. */
export function istioNetworkExtAuthz(cluster: string, host: string): Filter {
  const filter = create(NetworkExtAuthzSchema, {
    statPrefix: "tcp.",
    transportApiVersion: ApiVersion.V3,
    grpcService: {
      timeout: { seconds: 600n },
      targetSpecifier: { case: "envoyGrpc", value: { clusterName: cluster, authority: host } },
    },
  });
  return create(FilterSchema, {
    name: "envoy.filters.network.ext_authz",
    configType: { case: "typedConfig", value: anyPack(NetworkExtAuthzSchema, filter) },
  });
}

function nanosOf(seconds: number | undefined): number {
  return seconds === undefined ? 0 : Math.round((seconds % 1) * 1e9);
}

function matched(name: string, patterns: readonly string[] | undefined) {
  const list = matchers(patterns);
  return list === undefined ? {} : { [name]: list };
}

function matchers(patterns: readonly string[] | undefined): ListStringMatcher | undefined {
  if (patterns === undefined || patterns.length === 0) return undefined;
  return create(ListStringMatcherSchema, {
    patterns: patterns.map((pattern) =>
      create(StringMatcherSchema, { ignoreCase: true, matchPattern: matchPattern(pattern) }),
    ),
  });
}

function matchPattern(pattern: string): StringMatcher["matchPattern"] {
  if (pattern.startsWith("*")) return { case: "suffix", value: pattern.slice(1) };
  if (pattern.endsWith("*")) return { case: "prefix", value: pattern.slice(0, -1) };
  return { case: "exact", value: pattern };
}
