import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { issuanceDefaults } from "#ca/issuance/settings";
import type { ScenarioPlaces } from "#envoy-configs/scenarios";
import { systemClock } from "#platform/clock";
import { systemTimers } from "#platform/timers";
import { authorityDoor } from "#test/support/ca/agent/authority-door";
import { entry, sceneDomain } from "#test/support/ca/scene";
import { tokenIn } from "#test/support/ca/scene-requests";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { startLoad } from "#test/support/envoy/load";
import { editedScenario, free, nobody, shopPolicies } from "#test/support/envoy/mtls-pair";
import { runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import { until } from "#test/support/until";

const idOf = (name: string) => `spiffe://${sceneDomain}/ns/shop/sa/${name}`;

const closing = new Closing();
let garita: RunningGarita;
let upstreamPort: number;

before(async () => {
  upstreamPort = closing.add(await startEchoUpstream()).port;
  const place = closing.add(await garitaFolder({ "shop/callers.yaml": shopPolicies }));
  const listener = { name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
  garita = closing.add(await runGarita(place, { listeners: [listener] }));
});
after(() => closing.close());

test("two Envoys with an agent each: certificates that live for seconds and a new bundle under load, and nothing fails", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const lifeSeconds = 8;
  const door = await authorityDoor(t, {
    entries: ["web", "orders"].map((name) => entry(idOf(name), { ttlSeconds: lifeSeconds })),
    configuration: { issuance: { ...issuanceDefaults, minTtlSeconds: 1, jitterPercent: 0 } },
  });
  const startOne = async (name: string) => {
    const token = join(door.folder, `${name}.token`);
    await writeFile(token, await tokenIn(door.scene, idOf(name)), { mode: 0o600 });
    const yaml = `
authority: { address: "127.0.0.1:${door.port}", serverName: localhost }
stateFolder: ${door.folder}/${name}
identities: [{ spiffeId: "${idOf(name)}", socket: ${door.folder}/${name}.sock, joinTokenFile: ${token} }]
`;
    return door.start(yaml, { ...systemClock, ...systemTimers });
  };
  const agents = [await startOne("web"), await startOne("orders")];
  const identities = () => agents.map((agent) => agent.status().identities[0]!);
  const own = new Closing();
  try {
    const start = async (name: string, places: Partial<ScenarioPlaces>) => {
      const config = editedScenario(name, "GRPC", {
        listener: free,
        outbound: free,
        callee: nobody,
        upstream: { ...free, port: upstreamPort },
        garita: garita.endpoint("grpc"),
        garitaHttp: nobody,
        garitaSocket: nobody,
        agentSockets: door.folder,
        admin: free,
        certificates: door.folder,
        ...places,
      });
      return own.add(await runEnvoy(binary, config));
    };
    const callee = await start("mtls-sds-callee", {});
    const caller = await start("mtls-sds-caller", { callee: { ...free, port: callee.port("inbound") } });
    const port = caller.port("outbound");
    const ask = (path: string) => http1(port, [`GET ${path} HTTP/1.1`, "host: orders.shop"]);
    assert.equal((await ask("/orders")).status, 200);
    assert.equal((await ask("/others")).status, 403);
    assert.equal((await garita.denial(({ path }) => path === "/others")).principal, idOf("web"));

    const load = startLoad({ port, paths: ["/orders"] });
    const issuedBefore = (await door.scene.store.status()).issued;
    const issued = async () => (await door.scene.store.status()).issued - issuedBefore;
    await until(async () => (await issued()) >= 4, "certificates that replaced others");
    const { service } = door.scene.authority;
    await service.root.rotate("test");
    const next = service.bundle();
    const acknowledged = () => door.streams().filter((stream) => stream.acknowledged === bundleVersion(next));
    await until(() => acknowledged().length === 2);
    assert.deepEqual(
      acknowledged()
        .map(({ spiffeId }) => spiffeId)
        .toSorted(),
      [idOf("orders"), idOf("web")],
    );
    const issuedUnder = await issued();
    await until(async () => (await issued()) >= issuedUnder + 2, "certificates under the new bundle");
    await load.more(50);
    const samples = await load.stop();
    t.diagnostic(`${samples.length} requests, ${await issued()} certificates`);
    assert.deepEqual(samples.filter(({ status }) => status !== 200).slice(0, 3), []);
    for (const identity of identities()) {
      assert.equal(identity.state, "valid");
      assert.equal(identity.failure, undefined);
      assert.deepEqual(identity.streams.flatMap(({ names }) => names.map(({ name }) => name)).toSorted(), [
        "ROOTCA",
        "default",
      ]);
    }
  } finally {
    await own.close();
  }
});
