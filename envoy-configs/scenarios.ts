import type { Bootstrap } from "#platform/envoy-api/gen/envoy/config/bootstrap/v3/bootstrap_pb";
import { bootstrap } from "./bootstrap.ts";
import { cluster } from "./clusters.ts";
import { httpExtAuthz, httpExtAuthzSettings } from "./http-ext-authz.ts";
import { httpServiceExtAuthz } from "./http-ext-authz-http.ts";
import { httpListener, tcpListener } from "./listeners.ts";
import { networkExtAuthz } from "./network-ext-authz.ts";
import { AGENT_CLUSTER } from "./secret-source.ts";
import type { Endpoint } from "./socket-address.ts";
import { workloadClientTls, workloadServerTls } from "./workload-tls.ts";

/** Where the pieces of a scenario are. The files in `scenarios/` use `defaultPlaces`. */
export interface ScenarioPlaces {
  /** Where clients reach Envoy. */
  readonly listener: Endpoint;
  /** The application. */
  readonly upstream: Endpoint;
  /** Garita over gRPC, over HTTP, and on a Unix socket. */
  readonly garita: Endpoint;
  readonly garitaHttp: Endpoint;
  readonly garitaSocket: Endpoint;
  /** Folder of the agent's sockets, one for each workload: `web.sock`, `orders.sock`. */
  readonly agentSockets: string;
  /** Where a workload reaches the one that it calls, and where that one is. */
  readonly outbound: Endpoint;
  readonly callee: Endpoint;
  readonly admin: Endpoint;
  /** Folder of `server.crt`, `server.key`, `ca.crt` towards clients, and `garita-client.crt`, `garita-client.key`, `garita-ca.crt`. */
  readonly certificates: string;
}

export const defaultPlaces: ScenarioPlaces = {
  listener: { address: "0.0.0.0", port: 10000 },
  upstream: { address: "127.0.0.1", port: 8080 },
  garita: { address: "127.0.0.1", port: 9191 },
  garitaHttp: { address: "127.0.0.1", port: 9192 },
  garitaSocket: { path: "/run/garita/grpc.sock" },
  agentSockets: "/run/garita-agent",
  outbound: { address: "127.0.0.1", port: 10001 },
  callee: { address: "10.0.0.5", port: 10000 },
  admin: { address: "127.0.0.1", port: 9901 },
  certificates: "/etc/envoy/certificates",
};

const APPLICATION = "application";
const GARITA = "garita";
const LABELS_KEY = "labels";
const CALLEE = "orders";
const CALLEE_ID = "spiffe://hello.mesh/ns/shop/sa/orders";

const serverFiles = ({ certificates }: ScenarioPlaces) => ({
  certificate: `${certificates}/server.crt`,
  key: `${certificates}/server.key`,
});

const application = ({ upstream }: ScenarioPlaces) =>
  cluster({ name: APPLICATION, endpoint: upstream, protocol: "http1" });

const agent = ({ agentSockets }: ScenarioPlaces, workload: string) =>
  cluster({ name: AGENT_CLUSTER, endpoint: { path: `${agentSockets}/${workload}.sock` }, protocol: "http2" });

/** Everything that the files in `scenarios/` say, by their names. */
export const scenarios: { readonly [name: string]: (places: ScenarioPlaces) => Bootstrap } = {
  "grpc-mtls": (places) =>
    bootstrap({
      admin: places.admin,
      listeners: [
        httpListener({
          name: "inbound",
          endpoint: places.listener,
          tls: { ...serverFiles(places), clientCa: `${places.certificates}/ca.crt` },
          authorization: httpExtAuthz({ cluster: GARITA }),
          settings: httpExtAuthzSettings({ "garita.dev/workload": "orders-1", "garita.dev/namespace": "shop" }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [
        application(places),
        cluster({
          name: GARITA,
          endpoint: places.garita,
          protocol: "http2",
          tls: {
            ca: `${places.certificates}/garita-ca.crt`,
            serverName: { dns: "garita.internal" },
            client: {
              certificate: `${places.certificates}/garita-client.crt`,
              key: `${places.certificates}/garita-client.key`,
            },
          },
        }),
      ],
    }),

  "http-service": (places) =>
    bootstrap({
      admin: places.admin,
      listeners: [
        httpListener({
          name: "inbound",
          endpoint: places.listener,
          authorization: httpServiceExtAuthz({ cluster: GARITA }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [application(places), cluster({ name: GARITA, endpoint: places.garitaHttp, protocol: "http1" })],
    }),

  "http-service-tokens": (places) =>
    bootstrap({
      admin: places.admin,
      listeners: [
        httpListener({
          name: "inbound",
          endpoint: places.listener,
          authorization: httpServiceExtAuthz({ cluster: GARITA, upstreamHeaders: ["x-user", "x-roles"] }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [application(places), cluster({ name: GARITA, endpoint: places.garitaHttp, protocol: "http1" })],
    }),

  tcp: (places) =>
    bootstrap({
      node: {
        id: "database-1",
        cluster: "database",
        labels: {
          key: LABELS_KEY,
          values: { "garita.dev/workload": "database-1", "garita.dev/namespace": "shop" },
        },
      },
      admin: places.admin,
      listeners: [
        tcpListener({
          name: "inbound",
          endpoint: places.listener,
          tls: { ...serverFiles(places), clientCa: `${places.certificates}/ca.crt` },
          authorization: networkExtAuthz({ cluster: GARITA, statPrefix: "inbound", labelsKey: LABELS_KEY }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [application(places), cluster({ name: GARITA, endpoint: places.garita, protocol: "http2" })],
    }),

  "edge-gateway": (places) =>
    bootstrap({
      admin: places.admin,
      listeners: [
        httpListener({
          name: "edge",
          endpoint: places.listener,
          tls: serverFiles(places),
          edge: { trustedHops: 0 },
          mergeSlashes: true,
          accessLog: true,
          authorization: httpExtAuthz({ cluster: GARITA }),
          settings: httpExtAuthzSettings({
            "garita.dev/namespace": "edge",
            "garita.dev/labels": '{"app":"gateway"}',
            "garita.dev/kind": "gateway",
          }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [application(places), cluster({ name: GARITA, endpoint: places.garita, protocol: "http2" })],
    }),

  "unix-socket": (places) =>
    bootstrap({
      admin: places.admin,
      listeners: [
        httpListener({
          name: "inbound",
          endpoint: places.listener,
          authorization: httpExtAuthz({ cluster: GARITA }),
          settings: httpExtAuthzSettings({ "garita.dev/workload": "orders-1", "garita.dev/namespace": "shop" }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [application(places), cluster({ name: GARITA, endpoint: places.garitaSocket, protocol: "http2" })],
    }),

  "mtls-sds-caller": (places) =>
    bootstrap({
      node: { id: "web-1", cluster: "web" },
      admin: places.admin,
      listeners: [httpListener({ name: "outbound", endpoint: places.outbound, upstream: CALLEE })],
      clusters: [
        cluster({
          name: CALLEE,
          endpoint: places.callee,
          protocol: "http2",
          workloadTls: workloadClientTls(CALLEE_ID, ["h2"]),
        }),
        agent(places, "web"),
      ],
    }),

  "mtls-sds-callee": (places) =>
    bootstrap({
      node: { id: "orders-1", cluster: "orders" },
      admin: places.admin,
      listeners: [
        httpListener({
          name: "inbound",
          endpoint: places.listener,
          workloadTls: workloadServerTls(["h2", "http/1.1"]),
          authorization: httpExtAuthz({ cluster: GARITA }),
          settings: httpExtAuthzSettings({ "garita.dev/workload": "orders-1", "garita.dev/namespace": "shop" }),
          upstream: APPLICATION,
        }),
      ],
      clusters: [
        application(places),
        cluster({ name: GARITA, endpoint: places.garita, protocol: "http2" }),
        agent(places, "orders"),
      ],
    }),
};
