import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ScenarioPlaces } from "#envoy-configs/scenarios";
import { cli, type Ran } from "#test/support/cli/run-cli";
import { Closing } from "./closing.ts";
import { startEchoUpstream } from "./echo-upstream.ts";
import { editedScenario, free, nobody, orders, shopPolicies, web } from "./mtls-pair.ts";
import { type AgentProcess, runAgent } from "./run-agent.ts";
import { type RunningEnvoy, runEnvoy } from "./run-envoy.ts";
import { garitaFolder, type RunningGarita, runGarita } from "./run-garita.ts";

/** A service with its authority, two agents, two Envoys. */
export interface WholeMesh {
  readonly garita: RunningGarita;
  readonly web: AgentProcess;
  readonly orders: AgentProcess;
  readonly callee: RunningEnvoy;
  /** Where the calling application asks. */
  readonly port: number;
  /** What `garita ca …` prints, which must succeed. */
  ca(...args: string[]): Promise<string>;
  tryCa(...args: string[]): Promise<Ran>;
  stop(): Promise<void>;
}

const registration = (id: string) => {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: ${name}, namespace: shop }
spec: { spiffeId: "${id}", callers: [{ joinToken: {} }, { spiffeId: "${id}" }] }
`;
};

/** Starts all of it, with a join token for each agent, and waits until both Envoys have what they need. */
export async function startWholeMesh(binary: string): Promise<WholeMesh> {
  const closing = new Closing();
  try {
    const folder = closing.add(
      await garitaFolder({
        "mesh.yaml": "trustDomain: hello.mesh\n",
        "shop/callers.yaml": shopPolicies,
        "shop/registrations.yaml": [web, orders].map(registration).join("---\n"),
      }),
    );
    await chmod(folder.path, 0o700);
    const config = join(folder.path, "garita.yaml");
    const listener = { name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
    const authority = {
      trustDomain: "hello.mesh",
      store: "ca.sqlite",
      keyEncryptionKeyFile: "kek",
      serverNames: ["localhost"],
      grpc: { address: "127.0.0.1:0" },
      socket: "ca.sock",
    };
    const tryCa = (...args: string[]) => cli(["ca", ...args, "--config", config]);
    const ca = async (...args: string[]) => {
      const { status, out, err } = await tryCa(...args);
      assert.equal(status, 0, err);
      return out;
    };
    await writeFile(
      config,
      JSON.stringify({ listeners: [listener], policies: { directory: "policies" }, ca: authority }),
    );
    await ca("init", "--new-key-encryption-key");
    const garita = closing.add(await runGarita(folder, { listeners: [listener], ca: authority }));
    const listening = await garita.printed(/"listener":"ca-grpc","address":"127\.0\.0\.1:\d+"/);
    const port = Number(/:(\d+)"$/.exec(listening)?.[1]);

    const agentOf = async (name: string, spiffeId: string) => {
      const token = await ca("token", "new", "--id", spiffeId);
      await writeFile(join(folder.path, `${name}.token`), token, { mode: 0o600 });
      const agent = closing.add(await runAgent({ folder: folder.path, name, spiffeId, port }));
      await agent.until("a certificate", ({ state }) => state === "valid");
      return agent;
    };
    const [webAgent, ordersAgent] = [await agentOf("web", web), await agentOf("orders", orders)];

    const upstream = closing.add(await startEchoUpstream());
    const places: ScenarioPlaces = {
      listener: free,
      outbound: free,
      callee: nobody,
      upstream: { ...free, port: upstream.port },
      garita: garita.endpoint("grpc"),
      garitaHttp: nobody,
      garitaSocket: nobody,
      agentSockets: folder.path,
      admin: free,
      certificates: folder.path,
    };
    const callee = closing.add(await runEnvoy(binary, editedScenario("mtls-sds-callee", "GRPC", places)));
    const toCallee = { ...places, callee: { ...free, port: callee.port("inbound") } };
    const caller = closing.add(await runEnvoy(binary, editedScenario("mtls-sds-caller", "GRPC", toCallee)));
    return {
      garita,
      web: webAgent,
      orders: ordersAgent,
      callee,
      port: caller.port("outbound"),
      ca,
      tryCa,
      stop: () => closing.close(),
    };
  } catch (fault) {
    await closing.close();
    throw fault;
  }
}
