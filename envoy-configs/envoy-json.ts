import { createRegistry, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { stringify } from "yaml";
import { type Bootstrap, BootstrapSchema } from "#platform/envoy-api/gen/envoy/config/bootstrap/v3/bootstrap_pb";
import { file_envoy_extensions_access_loggers_file_v3_file } from "#platform/envoy-api/gen/envoy/extensions/access_loggers/file/v3/file_pb";
import { file_envoy_extensions_access_loggers_stream_v3_stream } from "#platform/envoy-api/gen/envoy/extensions/access_loggers/stream/v3/stream_pb";
import { file_envoy_extensions_filters_http_ext_authz_v3_ext_authz } from "#platform/envoy-api/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb";
import { file_envoy_extensions_filters_http_router_v3_router } from "#platform/envoy-api/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol } from "#platform/envoy-api/gen/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb";
import { file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector } from "#platform/envoy-api/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb";
import { file_envoy_extensions_filters_network_ext_authz_v3_ext_authz } from "#platform/envoy-api/gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb";
import { file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager } from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy } from "#platform/envoy-api/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb";
import { file_envoy_extensions_transport_sockets_tls_v3_tls } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { file_envoy_extensions_upstreams_http_v3_http_protocol_options } from "#platform/envoy-api/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb";

/** The messages that stand in a `typed_config`. */
const registry = createRegistry(
  file_envoy_extensions_access_loggers_file_v3_file,
  file_envoy_extensions_access_loggers_stream_v3_stream,
  file_envoy_extensions_filters_http_ext_authz_v3_ext_authz,
  file_envoy_extensions_filters_http_router_v3_router,
  file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol,
  file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector,
  file_envoy_extensions_filters_network_ext_authz_v3_ext_authz,
  file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager,
  file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy,
  file_envoy_extensions_transport_sockets_tls_v3_tls,
  file_envoy_extensions_upstreams_http_v3_http_protocol_options,
);

/** The configuration as Envoy's JSON, with the field names of its documentation. */
export function envoyJson(config: Bootstrap): JsonValue {
  return typeFirst(toJson(BootstrapSchema, config, { registry, useProtoFieldName: true }));
}

/** The same as YAML. */
export function envoyYaml(config: Bootstrap): string {
  return stringify(envoyJson(config), { lineWidth: 0 });
}

/** Reads Envoy's JSON (or parsed YAML) strictly: an unknown field, or a type that none of our configurations uses, is an error. */
export function parseEnvoyJson(json: JsonValue): Bootstrap {
  return fromJson(BootstrapSchema, json, { registry });
}

/** Readers look for the type before its fields. */
function typeFirst(json: JsonValue): JsonValue {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(typeFirst);
  const entries = Object.entries(json).map(([name, value]): [string, JsonValue] => [name, typeFirst(value)]);
  return Object.fromEntries([
    ...entries.filter(([name]) => name === "@type"),
    ...entries.filter(([name]) => name !== "@type"),
  ]);
}
