import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { buildBundle } from "#ca/bundle/build-bundle";
import type { Certificate } from "#ca/x509/contract";
import { endScene, entry, newCsr, openScene, sceneDomain } from "#test/support/ca/scene";
import { Closing } from "#test/support/envoy/closing";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { startLoad } from "#test/support/envoy/load";
import {
  ask,
  count,
  type MtlsGround,
  orders,
  protocols,
  startGround,
  startPair,
  web,
} from "#test/support/envoy/mtls-pair";
import { keyWith, newKey, startSecretServer } from "#test/support/envoy/secret-server";
import { until } from "#test/support/until";

const found = await findEnvoy();
const closing = new Closing();
let ground: MtlsGround;
before(async () => {
  if (found.ok) ground = closing.add(await startGround());
});
after(() => closing.close());

for (const protocol of protocols) {
  test(`${protocol}: leaves replaced every second under load, each request on a connection of its own: none fails`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const pair = await startPair(binary, ground, protocol);
    try {
      const load = startLoad({ port: pair.port, paths: ["/orders"] });
      for (let i = 0; i < 10; i++) {
        await delay(1000);
        pair.callerSecrets.give(await newKey(ground.scene, web));
        pair.calleeSecrets.give(await newKey(ground.scene, orders));
      }
      await load.more(50);
      const samples = await load.stop();
      const failed = samples.filter(({ status }) => status !== 200);
      assert.deepEqual(failed.slice(0, 3), []);
      const handshakes = await count(pair.callee, /^listener\..*\.ssl\.handshake$/);
      t.diagnostic(`${samples.length} requests, ${handshakes} handshakes`);
      assert.ok(handshakes >= samples.length, `${handshakes} handshakes for ${samples.length} requests`);
      assert.ok((await count(pair.callee, /server_ssl_socket_factory\.ssl_context_update_by_sds$/)) >= 10);
      assert.ok((await count(pair.caller, /client_ssl_socket_factory\.ssl_context_update_by_sds$/)) >= 10);
      assert.equal(await count(pair.callee, /^listener\..*\.ssl\.session_reused$/), 0);
    } finally {
      await pair.stop();
    }
  });

  test(`${protocol}: another root, published, used, and the old one gone, under load: no request fails`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const pair = await startPair(binary, ground, protocol);
    const next = await openScene({ entries: [web, orders].map((id) => entry(id)) });
    const both = [pair.callerSecrets, pair.calleeSecrets];
    const taken = () => until(() => both.every((secrets) => secrets.isTaken()), "what is given acknowledged");
    try {
      const [oldRoots, newRoots] = [ground.scene, next].map(({ authority }) => authority.service.bundle().anchors);
      const trust = async (anchors: readonly Certificate[]) => {
        for (const secrets of both) secrets.trust(buildBundle(sceneDomain, 1, anchors));
        await taken();
      };
      const load = startLoad({ port: pair.port, paths: ["/orders"] });
      await load.more(100);
      await trust([...oldRoots!, ...newRoots!]);
      await load.more(100);
      pair.callerSecrets.give(await newKey(next, web));
      await load.more(100);
      pair.calleeSecrets.give(await newKey(next, orders));
      await taken();
      await load.more(100);
      await trust(newRoots!);
      await load.more(100);
      const samples = await load.stop();
      assert.deepEqual(samples.filter(({ status }) => status !== 200).slice(0, 3), []);
      t.diagnostic(`${samples.length} requests`);
      pair.callerSecrets.give(await newKey(ground.scene, web));
      await taken();
      assert.equal((await ask(pair.port, "/orders")).status, 503, "the old root counts no more");
    } finally {
      await pair.stop();
      await endScene(next);
    }
  });

  test(`${protocol}: a key that does not fit its chain is rejected in Envoy's own words, and the last good one stays`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const pair = await startPair(binary, ground, protocol);
    try {
      assert.equal((await ask(pair.port, "/orders")).status, 200);
      const good = await newKey(ground.scene, orders);
      pair.calleeSecrets.give(keyWith(newCsr().privateKey, good.chainPem));
      const rejected = () =>
        pair.calleeSecrets
          .status()
          .flatMap(({ names }) => names)
          .find(({ name }) => name === "default")?.rejected;
      await until(() => rejected() !== undefined, "a rejection");
      assert.match(rejected()!.message, /KEY_VALUES_MISMATCH|private key/i);
      t.diagnostic(rejected()!.message);
      const event = pair.calleeSecrets.events.find(({ kind }) => kind === "rejected");
      assert.deepEqual([event?.name, event?.stream.node], ["default", "orders-1"]);
      assert.equal((await ask(pair.port, "/orders")).status, 200);
      await delay(300);
      assert.equal(pair.calleeSecrets.events.filter(({ kind }) => kind === "rejected").length, 1, "not sent again");
      pair.calleeSecrets.give(good);
      await until(() => rejected() === undefined, "the good one taken");
      assert.equal((await ask(pair.port, "/orders")).status, 200);
    } finally {
      await pair.stop();
    }
  });

  test(`${protocol}: while the server of its secrets is away Envoy goes on, and takes what is new when it is back`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const pair = await startPair(binary, ground, protocol);
    const again = new Closing();
    try {
      const updates = () => count(pair.callee, /server_ssl_socket_factory\.ssl_context_update_by_sds$/);
      const before = await updates();
      await pair.calleeSecrets.stop();
      assert.equal((await ask(pair.port, "/orders")).status, 200);
      const next = await newKey(ground.scene, orders);
      const back = again.add(await startSecretServer(join(ground.folder, "orders.sock"), ground.scene, orders, next));
      await until(async () => (await updates()) > before, "the new key taken");
      await until(() => back.isTaken(), "both acknowledged");
      assert.equal(await updates(), before + 1, "the bundle, which it had, made no new context");
      assert.equal((await ask(pair.port, "/orders")).status, 200);
    } finally {
      await pair.stop();
      await again.close();
    }
  });
}
