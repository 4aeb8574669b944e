import type { JsonObject } from "@bufbuild/protobuf";
import type { Setting } from "../cases/case.ts";
import { renderFilters } from "./render.ts";

/** Response headers by which Envoy tells what it decided, beside what a client would see. */
export const tellingHeaders = { details: "x-oracle-details", rule: "x-oracle-rule" } as const;

/**
 * A bootstrap whose listeners come from the file `listenersFile`, so that one that Envoy refuses does not take the others with
 * it; all of them forward to an application on `upstreamPort`.
 */
export function oracleBootstrap(listenersFile: string, upstreamPort: number): JsonObject {
  return {
    admin: { address: loopback(0) },
    node: { id: "oracle", cluster: "oracle" },
    layered_runtime: {
      layers: [
        {
          name: "istio",
          static_layer: { envoy: { reloadable_features: { http_reject_path_with_fragment: false } } },
        },
      ],
    },
    dynamic_resources: { lds_config: { path_config_source: { path: listenersFile }, resource_api_version: "V3" } },
    static_resources: {
      clusters: [
        {
          name: "application",
          type: "STATIC",
          load_assignment: {
            cluster_name: "application",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(upstreamPort) } }] }],
          },
        },
      ],
    },
  };
}

/** What the file of listeners holds: one `DiscoveryResponse` (Envoy's path_config_source). */
export function listenersFile(listeners: readonly JsonObject[]): string {
  const type = "type.googleapis.com/envoy.config.listener.v3.Listener";
  return JSON.stringify({
    version_info: "1",
    resources: listeners.map((listener) => ({ "@type": type, ...listener })),
  });
}

/** A listener with the filters of the setting's policies; `bare`: without them. */
export function oracleListener(name: string, setting: Setting, bare = false): JsonObject {
  const filters = bare ? [] : renderFilters(setting);
  return {
    name,
    address: loopback(0),
    filter_chains: [{ filters: [{ name: "http", typed_config: connectionManager(setting, filters) }] }],
  };
}

/** How the connection manager of a setting differs from others: bare listeners of equal settings are one. */
export function managerKey(setting: Setting): string {
  return JSON.stringify([isEdge(setting), setting.mesh?.pathNormalization ?? "BASE"]);
}

function isEdge({ workload }: Setting): boolean {
  return workload?.kind === "gateway" || workload?.kind === "k8s-gateway";
}

/** As Istio sets it up; the answers tell what was decided. */
function connectionManager(setting: Setting, filters: readonly JsonObject[]): JsonObject {
  const edge = isEdge(setting);
  return {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "oracle",
    delayed_close_timeout: "0s",
    ...normalization(setting.mesh?.pathNormalization ?? "BASE"),
    use_remote_address: edge,
    xff_num_trusted_hops: setting.workload?.numTrustedProxies ?? 0,
    forward_client_cert_details: edge ? "SANITIZE_SET" : "APPEND_FORWARD",
    set_current_client_cert_details: { subject: true, uri: true, dns: true },
    upgrade_configs: [{ upgrade_type: "websocket" }],
    local_reply_config: {
      mappers: [
        {
          filter: {
            status_code_filter: { comparison: { op: "GE", value: { default_value: 0, runtime_key: "oracle.status" } } },
          },
          headers_to_add: [{ header: { key: tellingHeaders.details, value: "%RESPONSE_CODE_DETAILS%" } }],
        },
      ],
    },
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "application", timeout: "0s" } }],
          response_headers_to_add: [
            {
              header: {
                key: tellingHeaders.rule,
                value: "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%",
              },
            },
          ],
        },
      ],
    },
    http_filters: [
      ...filters,
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
}

function normalization(mode: string): JsonObject {
  switch (mode) {
    case "NONE":
      return { normalize_path: false };
    case "BASE":
      return { normalize_path: true };
    case "MERGE_SLASHES":
      return { normalize_path: true, merge_slashes: true };
    case "DECODE_AND_MERGE_SLASHES":
      return {
        normalize_path: true,
        merge_slashes: true,
        path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD",
      };
    default:
      throw new Error(`no path normalization is called ${mode}`);
  }
}

function loopback(port: number): JsonObject {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
