import assert from "node:assert/strict";
import { test } from "node:test";
import { openChannel } from "#platform/grpc/open-channel";
import { systemTimers } from "#platform/timers";
import { silentLog } from "#test/support/ca/silent-log";
import { lastingPort } from "#test/support/lasting-port";
import { until } from "#test/support/until";
import { deltaRequest, readStateResponse, stateRequest } from "#test/support/xds/messages";
import { openDiscoveryDoor } from "#test/support/xds/open-discovery-door";
import { adsPath, deltaAdsPath, deltaSecretPath, secretPath } from "#test/support/xds/scripted-stream";
import { createShelf, shelfUrl } from "#test/support/xds/shelf";
import { type Acknowledgement, followDelta } from "#xds/client/follow-delta";

for (const path of [secretPath, adsPath, deltaSecretPath, deltaAdsPath]) {
  const isDelta = path.includes("Delta");
  test(`${path.split("/").at(-1)}: asked, answered, acknowledged, changed, rejected, over a real connection`, async (t) => {
    const shelf = createShelf({ a: "1" });
    const { stream, discovery } = await openDiscoveryDoor(t, shelf);
    const client = stream(path);
    const say = (responseNonce: string, message?: string) => {
      const errorDetail = message === undefined ? {} : { errorDetail: { code: 3, message } };
      client.send(
        isDelta
          ? deltaRequest({ typeUrl: shelfUrl, responseNonce, ...errorDetail })
          : stateRequest({ typeUrl: shelfUrl, responseNonce, resourceNames: ["a"], ...errorDetail }),
      );
    };
    client.send(
      isDelta
        ? deltaRequest({ typeUrl: shelfUrl, resourceNamesSubscribe: ["a"] })
        : stateRequest({ typeUrl: shelfUrl, resourceNames: ["a"] }),
    );
    const first = await client.next();
    assert.deepEqual(first.resources[0]?.text, "a=1");
    say(first.nonce);
    await until(() => shelf.events.length === 1);
    shelf.put("a", "2");
    const second = await client.next();
    say(second.nonce, "bad");
    await until(() => shelf.events.length === 2);
    shelf.put("a", "3");
    const third = await client.next();
    assert.equal(third.resources[0]?.text, "a=3");
    say(third.nonce);
    await until(() => shelf.events.length === 3);
    assert.deepEqual(shelf.events, ["acknowledged a=1", "rejected a=2: bad", "acknowledged a=3"]);
    assert.deepEqual(
      discovery.status().map(({ variant, caller }) => [variant, caller]),
      [[isDelta ? "delta" : "state-of-the-world", "spiffe://test/client 1"]],
    );
  });
}

test("fetch over a real connection", async (t) => {
  const { door } = await openDiscoveryDoor(t, createShelf({ a: "1" }));
  const channel = openChannel({ address: door.address, tls: undefined, keepaliveMillis: 60_000 });
  t.after(() => channel.close());
  const path = "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets";
  const answer = await channel.call(path, stateRequest({ resourceNames: ["a"] }), {
    metadata: {},
    deadlineMillis: 10_000,
  });
  assert.ok(answer.ok);
  assert.equal(readStateResponse(answer.message).resources[0]?.text, "a=1");
});

test("our client follows our server through its end and a new one at the same address", async (t) => {
  const shelf = createShelf({ a: "1" });
  const address = { kind: "tcp", host: "127.0.0.1", port: await lastingPort() } as const;
  const first = await openDiscoveryDoor(t, shelf, address);
  const channel = openChannel({ address, tls: undefined, keepaliveMillis: 60_000 });
  const heard: { readonly text: string; readonly acknowledgement: Acknowledgement }[] = [];
  const ends: number[] = [];
  const follower = followDelta({
    channel,
    path: deltaSecretPath,
    typeUrl: shelfUrl,
    names: ["a"],
    node: "agent",
    initialVersions: new Map(),
    timers: { after: (millis, run) => systemTimers.after(millis / 20, run) },
    chance: Math.random,
    log: silentLog,
    onUpdate: ({ resources }, acknowledgement) => {
      heard.push({ text: resources.map(({ name, version }) => `${name}=${version}`).join(" "), acknowledgement });
    },
    onDisconnected: ({ code }) => void ends.push(code),
  });
  t.after(() => {
    follower.close();
    channel.close();
  });
  await until(() => heard.length === 1);
  heard[0]!.acknowledgement.accept();
  await until(() => shelf.events.length === 1);
  await first.door.stop(AbortSignal.timeout(5_000));
  assert.equal(ends[0], 14);
  const again = createShelf({ a: "1" });
  const second = await openDiscoveryDoor(t, again, address);
  // What it holds it tells, and is not sent again: the server hears at once that it has it.
  await until(() => again.events.length === 1);
  again.put("a", "2");
  await until(() => heard.length === 2);
  assert.deepEqual(
    heard.map(({ text }) => text),
    ["a=1", "a=2"],
  );
  assert.deepEqual(again.events, ["acknowledged a=1"]);
  assert.equal(second.discovery.status()[0]?.node, "agent");
});
