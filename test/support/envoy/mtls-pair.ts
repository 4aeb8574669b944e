import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import type { KeyKind } from "#ca/x509/contract";
import { envoyJson } from "#envoy-configs/envoy-json";
import { type ScenarioPlaces, scenarios } from "#envoy-configs/scenarios";
import type { Endpoint } from "#envoy-configs/socket-address";
import { endScene, entry, openScene, type Scene } from "#test/support/ca/scene";
import { http1, type RawResponse } from "./clients.ts";
import { Closing } from "./closing.ts";
import { startEchoUpstream } from "./echo-upstream.ts";
import { clusterOf } from "./edit-config.ts";
import { type RunningEnvoy, runEnvoy } from "./run-envoy.ts";
import { garitaFolder, type RunningGarita, runGarita } from "./run-garita.ts";
import { newKey, type SecretServer, startSecretServer } from "./secret-server.ts";

/** A free port. */
export const free = { address: "127.0.0.1", port: 0 };
/** Where nobody listens. */
export const nobody: Endpoint = { address: "127.0.0.1", port: 1 };
export const web = "spiffe://hello.mesh/ns/shop/sa/web";
export const orders = "spiffe://hello.mesh/ns/shop/sa/orders";
export const impostor = "spiffe://hello.mesh/ns/shop/sa/impostor";

/** Who may ask `orders` for what. */
export const shopPolicies = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: orders-1, namespace: shop }
spec: { address: 127.0.0.1, labels: { app: orders }, serviceAccount: orders }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - from: [{ source: { principals: [hello.mesh/ns/shop/sa/web] } }]
      to: [{ operation: { paths: [/orders] } }]
    - from: [{ source: { principals: [hello.mesh/ns/shop/sa/other] } }]
      to: [{ operation: { paths: [/others] } }]
`;

/** How Envoy takes its secrets. */
export const protocols = ["GRPC", "DELTA_GRPC"] as const;
export type Protocol = (typeof protocols)[number];

/** What two workloads with mutual TLS need around them: an authority, Garita with a policy for them, an application. */
export interface MtlsGround {
  readonly scene: Scene;
  readonly garita: RunningGarita;
  /** For sockets, and files of a test. */
  readonly folder: string;
  /** The scenario as it is, but for the protocol of its secrets, and with a connection of its own for each request of the caller. */
  config(name: string, protocol: Protocol, places?: Partial<ScenarioPlaces>): JsonObject;
  stop(): Promise<void>;
}

/** The two workloads, each with a server of secrets of its own. */
export interface MtlsPair {
  readonly callerSecrets: SecretServer;
  readonly calleeSecrets: SecretServer;
  readonly caller: RunningEnvoy;
  readonly callee: RunningEnvoy;
  /** Where the calling application asks. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts what is around the workloads. */
export async function startGround(): Promise<MtlsGround> {
  const closing = new Closing();
  const entries = [web, orders, impostor].map((id) => entry(id));
  const scene = await openScene({ entries, serverNames: ["localhost"] });
  closing.add({ stop: () => endScene(scene) });
  try {
    const folder = await mkdtemp(join(tmpdir(), "garita-sds-"));
    closing.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    const upstream = closing.add(await startEchoUpstream());
    const garitaPlace = closing.add(await garitaFolder({ "shop/callers.yaml": shopPolicies }));
    const listener = { name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
    const garita = closing.add(await runGarita(garitaPlace, { listeners: [listener] }));
    const places: ScenarioPlaces = {
      listener: free,
      outbound: free,
      callee: nobody,
      upstream: { ...free, port: upstream.port },
      garita: garita.endpoint("grpc"),
      garitaHttp: nobody,
      garitaSocket: nobody,
      agentSockets: folder,
      admin: free,
      certificates: folder,
    };
    return {
      scene,
      garita,
      folder,
      config: (name, protocol, more = {}) => editedScenario(name, protocol, { ...places, ...more }),
      stop: () => closing.close(),
    };
  } catch (fault) {
    await closing.close();
    throw fault;
  }
}

/** A configuration of the scenario, but for the protocol of its secrets, and with a connection of its own for each request of the caller. */
export function editedScenario(name: string, protocol: Protocol, places: ScenarioPlaces): JsonObject {
  const config = envoyJson(scenarios[name]!(places));
  if (name === "mtls-sds-caller") {
    const options = clusterOf(config, "orders")["typed_extension_protocol_options"] as JsonObject;
    for (const each of Object.values(options))
      (each as JsonObject)["common_http_protocol_options"] = { max_requests_per_connection: 1 };
  }
  return JSON.parse(JSON.stringify(config).replaceAll('"api_type":"GRPC"', `"api_type":"${protocol}"`)) as JsonObject;
}

/** Starts both workloads; `calleeIs`: what the callee's certificate says. */
export async function startPair(
  binary: string,
  { scene, folder, config }: MtlsGround,
  protocol: Protocol,
  { kind = "P-256", calleeIs = orders }: { readonly kind?: KeyKind; readonly calleeIs?: string } = {},
): Promise<MtlsPair> {
  const own = new Closing();
  try {
    const [callerKey, calleeKey] = [await newKey(scene, web, kind), await newKey(scene, calleeIs, kind)];
    const callerSecrets = own.add(await startSecretServer(join(folder, "web.sock"), scene, web, callerKey));
    const calleeSecrets = own.add(await startSecretServer(join(folder, "orders.sock"), scene, calleeIs, calleeKey));
    const callee = own.add(await runEnvoy(binary, config("mtls-sds-callee", protocol)));
    const places = { callee: { ...free, port: callee.port("inbound") } };
    const caller = own.add(await runEnvoy(binary, config("mtls-sds-caller", protocol, places)));
    return { callerSecrets, calleeSecrets, caller, callee, port: caller.port("outbound"), stop: () => own.close() };
  } catch (fault) {
    await own.close();
    throw fault;
  }
}

/** One request of the calling application. */
export function ask(port: number, path: string): Promise<RawResponse> {
  return http1(port, [`GET ${path} HTTP/1.1`, "host: orders.shop"]);
}

/** Counters of an Envoy whose names match, added up. */
export async function count(envoy: RunningEnvoy, pattern: RegExp): Promise<number> {
  const lines = (await envoy.admin("/stats")).split("\n").map((line) => line.split(": "));
  const numbers = lines.flatMap(([name = "", value]) => (pattern.test(name) ? [Number(value)] : []));
  assert.ok(numbers.length > 0, `no counter is ${pattern}`);
  return numbers.reduce((sum, each) => sum + each, 0);
}
