import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { serveIstio } from "#ca/transport/istio/serve";
import { readAgentConfig } from "#cli/agent/load-config";
import { type RunningAgent, startAgent } from "#cli/agent/start-agent";
import { type Door, defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { recordLog } from "#test/support/ca/record-log";
import { type Scene, type SceneChanges, testScene, webId } from "#test/support/ca/scene";
import { tokenIn } from "#test/support/ca/scene-requests";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";

/** A whole authority with its gRPC door over TLS, and what an agent on the same machine needs to meet it. */
export interface AuthorityDoor {
  readonly scene: Scene;
  readonly folder: string;
  readonly port: number;
  /** The agent's time; `pass` moves the authority's too. */
  readonly time: FakeTime;
  readonly socket: string;
  readonly lines: ReturnType<typeof recordLog>["lines"];
  /** `agent.yaml` for one identity with a join token of the authority. */
  config(more?: string, identityMore?: string): Promise<string>;
  start(yaml: string): Promise<RunningAgent>;
  pass(millis: number): Promise<void>;
  /** Runs the agent's time on until it came about. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
}

export async function authorityDoor(t: TestContext, changes: SceneChanges = {}): Promise<AuthorityDoor> {
  const scene = await testScene(t, { serverNames: ["localhost", "127.0.0.1"], ...changes });
  const folder = await tempFolder(t);
  const time = createFakeTime(Date.now());
  const { log, lines } = recordLog();
  const { certPem, keyPem } = scene.authority.serverCertificate!;
  const door: Door = await serveIstio({
    name: "ca-grpc",
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    tls: { cert: certPem, key: keyPem },
    limits: defaultDoorLimits,
    log: createLog({ level: "silent" }).log,
    service: scene.authority.service,
    serving: scene.authority.serving,
  });
  t.after(() => door.stop(AbortSignal.abort()));
  const port = door.address.kind === "tcp" ? door.address.port : 0;
  const socket = join(folder, "web.sock");
  return {
    scene,
    folder,
    port,
    time,
    socket,
    lines,
    async config(more = "", identityMore = "") {
      const tokenFile = join(folder, "token");
      await writeFile(tokenFile, `${await tokenIn(scene, webId)}\n`, { mode: 0o600 });
      return `
authority: { address: "127.0.0.1:${port}", serverName: localhost }
stateFolder: ${folder}/state
${more}
identities:
  - spiffeId: ${webId}
    socket: ${socket}
    joinTokenFile: ${tokenFile}
${identityMore}
`;
    },
    async start(yaml) {
      const read = await readAgentConfig(yaml, join(folder, "agent.yaml"), {});
      if (!read.ok) throw new Error(JSON.stringify(read.findings));
      const agent = await startAgent({
        config: read.config,
        version: "0.0.0-test",
        clock: time,
        timers: time,
        chance: () => randomBytes(1)[0]! / 256,
        log,
      });
      t.after(() => agent.stop(0));
      return agent;
    },
    async pass(millis) {
      scene.shiftMillis += millis;
      await time.advance(millis);
    },
    async until(condition) {
      const endMillis = Date.now() + 20_000;
      while (!(await condition())) {
        if (Date.now() > endMillis) throw new Error(`it did not come about: ${JSON.stringify(lines.slice(-5))}`);
        await time.advance(10);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}
