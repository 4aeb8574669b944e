import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BundleStream } from "#ca/rotation/contract";
import { serveIstio } from "#ca/transport/istio/serve";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import { readAgentConfig } from "#cli/agent/load-config";
import { type RunningAgent, startAgent } from "#cli/agent/start-agent";
import { openAuthorityDiscovery } from "#cli/serve/authority/open-discovery";
import type { Clock } from "#platform/clock";
import { type Door, defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { systemTimers, type Timers } from "#platform/timers";
import { recordLog } from "#test/support/ca/record-log";
import { type Scene, type SceneChanges, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { tokenIn } from "#test/support/ca/scene-requests";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";
import type { StreamEvent } from "#xds/contract";
import type { Discovery } from "#xds/discovery";

/** A whole authority with its gRPC door over TLS, and what an agent on the same machine needs to meet it. */
export interface AuthorityDoor {
  readonly scene: Scene;
  readonly folder: string;
  readonly port: number;
  /** The agent's time; `pass` moves the authority's too. */
  readonly time: FakeTime;
  readonly socket: string;
  /** What clients of the authority's streams said. */
  readonly events: readonly StreamEvent[];
  /** Who takes the bundle from the authority. */
  streams(): readonly BundleStream[];
  /** The door shows the authority's server certificate as it is now. */
  updateTls(): void;
  readonly lines: ReturnType<typeof recordLog>["lines"];
  /** Nobody answers any more, until the function that is returned is called. */
  closeDoor(): Promise<() => Promise<void>>;
  /** `agent.yaml` for one identity with a join token of the authority. */
  config(more?: string, identityMore?: string): Promise<string>;
  /** `time`: instead of the one that is stepped. */
  start(yaml: string, time?: Clock & Timers): Promise<RunningAgent>;
  pass(millis: number): Promise<void>;
  /** Runs the agent's time on until it came about. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
}

export async function authorityDoor(t: TestContext, changes: SceneChanges = {}): Promise<AuthorityDoor> {
  let discovery: Discovery | undefined;
  const streams = () => bundleStreams(discovery?.status() ?? [], sceneDomain);
  let shifted = () => 0;
  const scene = await testScene(t, {
    // Both clocks of the authority go on together: it believes no jump.
    monotonicMillis: () => performance.now() + shifted(),
    serverNames: ["localhost", "127.0.0.1"],
    streams,
    rotationSettings: { settleMillis: 0, skewMillis: 0, lookMillis: 60_000 },
    ...changes,
  });
  shifted = () => scene.shiftMillis;
  const folder = await tempFolder(t);
  const time = createFakeTime(Date.now());
  const { log, lines } = recordLog();
  const events: StreamEvent[] = [];
  const { certPem, keyPem } = scene.authority.serverCertificate!;
  const { authority } = scene;
  const clock = { nowMillis: () => Date.now() + scene.shiftMillis, monotonicMillis: () => performance.now() };
  discovery = openAuthorityDiscovery({ trustDomain: sceneDomain, grpc: undefined }, authority, {
    clock,
    timers: systemTimers,
    log,
    chance: () => 0,
    onStream: (event) => void events.push(event),
  });
  const served = discovery;
  t.after(() => served.close());
  const open = (port: number): Promise<Door> =>
    serveIstio({
      name: "ca-grpc",
      address: { kind: "tcp", host: "127.0.0.1", port },
      tls: { cert: certPem, key: keyPem },
      limits: defaultDoorLimits,
      log: createLog({ level: "silent" }).log,
      service: scene.authority.service,
      serving: scene.authority.serving,
      discovery,
    });
  let door = await open(0);
  t.after(() => door.stop(AbortSignal.abort()));
  const port = door.address.kind === "tcp" ? door.address.port : 0;
  const socket = join(folder, "web.sock");
  return {
    events,
    streams,
    updateTls() {
      const next = authority.serverCertificate!;
      door.updateTls({ cert: next.certPem, key: next.keyPem });
    },
    scene,
    folder,
    port,
    time,
    socket,
    lines,
    async closeDoor() {
      await door.stop(AbortSignal.abort());
      return async () => {
        door = await open(port);
      };
    },
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
    async start(yaml, given = time) {
      const read = await readAgentConfig(yaml, join(folder, "agent.yaml"), {});
      if (!read.ok) throw new Error(JSON.stringify(read.findings));
      const agent = await startAgent({
        config: read.config,
        version: "0.0.0-test",
        clock: given,
        timers: given,
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
      const endMillis = Date.now() + 60_000;
      while (!(await condition())) {
        if (Date.now() > endMillis) throw new Error(`it did not come about: ${JSON.stringify(lines.slice(-5))}`);
        await time.advance(10);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}
