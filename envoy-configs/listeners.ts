import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { AccessLogSchema } from "#platform/envoy-api/gen/envoy/config/accesslog/v3/accesslog_pb";
import type { TransportSocket } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import {
  type Filter,
  FilterSchema,
  type ListenerFilter,
  ListenerFilterSchema,
} from "#platform/envoy-api/gen/envoy/config/listener/v3/listener_components_pb";
import { type Listener, ListenerSchema } from "#platform/envoy-api/gen/envoy/config/listener/v3/listener_pb";
import type { RouteSchema } from "#platform/envoy-api/gen/envoy/config/route/v3/route_components_pb";
import { StdoutAccessLogSchema } from "#platform/envoy-api/gen/envoy/extensions/access_loggers/stream/v3/stream_pb";
import { RouterSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { ProxyProtocolSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb";
import { TlsInspectorSchema } from "#platform/envoy-api/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb";
import {
  HttpConnectionManagerSchema,
  type HttpFilter,
  HttpFilterSchema,
} from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { TcpProxySchema } from "#platform/envoy-api/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb";
import { HTTP_EXT_AUTHZ } from "./http-ext-authz.ts";
import { type Endpoint, envoyAddress } from "./socket-address.ts";
import { type DownstreamTlsOptions, downstreamTls } from "./tls-contexts.ts";

interface ListenerOptions {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly tls?: DownstreamTlsOptions;
  /** Instead of `tls`: with the workload's own certificate (`workloadServerTls`). */
  readonly workloadTls?: TransportSocket;
  /** A load balancer in front speaks PROXY protocol. Garita's listener must then say `proxyProtocol: true`. */
  readonly proxyProtocol?: boolean;
}

export interface HttpListenerOptions extends ListenerOptions {
  /** The filter that asks Garita; it comes last before the router, so that it judges what the upstream gets. Undefined: for what leaves the workload, which is judged where it comes in. */
  readonly authorization?: HttpFilter;
  readonly upstream: string;
  /** Per-filter settings of the virtual host (`httpExtAuthzSettings`). */
  readonly settings?: { readonly [filter: string]: Any };
  /** Routes before the one that sends everything to the upstream. */
  readonly routes?: readonly MessageInitShape<typeof RouteSchema>[];
  /** At the edge: the peer is the client, its X-Forwarded-For is not believed beyond `trustedHops`. */
  readonly edge?: { readonly trustedHops: number };
  readonly mergeSlashes?: boolean;
  /** Print a line per request with Garita's decision id and reason. */
  readonly accessLog?: boolean;
}

const DECISION_LOG =
  "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% " +
  `decision=%DYNAMIC_METADATA(${HTTP_EXT_AUTHZ}:decision_id)% reason=%DYNAMIC_METADATA(${HTTP_EXT_AUTHZ}:reason)%\n`;

/** A listener that asks Garita about every HTTP request and sends what is allowed to one upstream. */
export function httpListener(options: HttpListenerOptions): Listener {
  const router = create(HttpFilterSchema, {
    name: "envoy.filters.http.router",
    configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
  });
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: options.name,
    // Paths in the form that policies are compared with; what is left in another form Garita brings into it, or refuses.
    normalizePath: true,
    mergeSlashes: options.mergeSlashes ?? false,
    ...(options.edge === undefined ? {} : { useRemoteAddress: true, xffNumTrustedHops: options.edge.trustedHops }),
    accessLog: options.accessLog === true ? [decisionLog()] : [],
    httpFilters: [...(options.authorization === undefined ? [] : [options.authorization]), router],
    routeSpecifier: {
      case: "routeConfig",
      value: {
        name: options.name,
        virtualHosts: [
          {
            name: options.name,
            domains: ["*"],
            typedPerFilterConfig: { ...options.settings },
            routes: [
              ...(options.routes ?? []),
              {
                match: { pathSpecifier: { case: "prefix", value: "/" } },
                action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: options.upstream } } },
              },
            ],
          },
        ],
      },
    },
  });
  const filter = create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, manager) },
  });
  const tls = options.tls && { ...options.tls, alpn: options.tls.alpn ?? ["h2", "http/1.1"] };
  return listener(options, [filter], proxyProtocolFilters(options), tls);
}

export interface TcpListenerOptions extends ListenerOptions {
  /**
   * Read the SNI of TLS that Envoy passes on without ending it. Not for plaintext: Envoy would hold back a client that sends fewer
   * than five bytes at first.
   */
  readonly inspectTls?: boolean;
  readonly authorization: Filter;
  readonly upstream: string;
}

/** A listener that asks Garita about every connection and passes what is allowed to one upstream. */
export function tcpListener(options: TcpListenerOptions): Listener {
  const proxy = create(TcpProxySchema, {
    statPrefix: options.name,
    clusterSpecifier: { case: "cluster", value: options.upstream },
  });
  const filter = create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: anyPack(TcpProxySchema, proxy) },
  });
  const inspector = create(ListenerFilterSchema, {
    name: "envoy.filters.listener.tls_inspector",
    configType: { case: "typedConfig", value: anyPack(TlsInspectorSchema, create(TlsInspectorSchema)) },
  });
  // ORDER: PROXY protocol comes before the TLS that it precedes on the wire.
  const listenerFilters = [...proxyProtocolFilters(options), ...(options.inspectTls === true ? [inspector] : [])];
  return listener(options, [options.authorization, filter], listenerFilters, options.tls);
}

function listener(
  { name, endpoint, workloadTls }: ListenerOptions,
  filters: readonly Filter[],
  listenerFilters: readonly ListenerFilter[],
  tls: DownstreamTlsOptions | undefined,
): Listener {
  const transportSocket = workloadTls ?? (tls && downstreamTls(tls));
  return create(ListenerSchema, {
    name,
    address: envoyAddress(endpoint),
    listenerFilters: [...listenerFilters],
    filterChains: [{ filters: [...filters], ...(transportSocket === undefined ? {} : { transportSocket }) }],
  });
}

function proxyProtocolFilters({ proxyProtocol }: ListenerOptions): ListenerFilter[] {
  if (proxyProtocol !== true) return [];
  const filter = create(ListenerFilterSchema, {
    name: "envoy.filters.listener.proxy_protocol",
    configType: { case: "typedConfig", value: anyPack(ProxyProtocolSchema, create(ProxyProtocolSchema)) },
  });
  return [filter];
}

function decisionLog() {
  const log = create(StdoutAccessLogSchema, {
    accessLogFormat: {
      case: "logFormat",
      value: {
        format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value: DECISION_LOG } } },
      },
    },
  });
  return create(AccessLogSchema, {
    name: "envoy.access_loggers.stdout",
    configType: { case: "typedConfig", value: anyPack(StdoutAccessLogSchema, log) },
  });
}
