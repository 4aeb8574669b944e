import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import { decodeTrustSecret } from "#ca/transport/sds/decode-trust-secret";
import { secretService } from "#ca/transport/sds/encode-secret";
import { SecretSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/discovery/v3/discovery_pb";
import { grpcCodes } from "#platform/grpc/codes";
import { entry, type Scene, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { openSecretDoor } from "#test/support/ca/secret-door";
import type { SecretStream } from "#test/support/ca/secret-stream";
import { createFakeTime } from "#test/support/keys/fake-time";
import { bytesClient } from "#test/support/service/grpc-client";
import { until } from "#test/support/until";
import { aggregatedService } from "#xds/services";

const otherId = `spiffe://${sceneDomain}/ns/hello/sa/other`;

const sceneOf = (t: TestContext): Promise<Scene> =>
  testScene(t, { entries: [entry(webId), entry(otherId)], serverNames: ["localhost"] });

function keyPairOf(body: Uint8Array): { readonly uri: string | undefined; readonly fits: boolean } {
  const secret = fromBinary(SecretSchema, body);
  assert.ok(secret.type.case === "tlsCertificate");
  const [chain, key] = [secret.type.value.certificateChain, secret.type.value.privateKey].map((source) =>
    Buffer.from(source?.specifier.value as Uint8Array),
  );
  const leaf = new X509Certificate(chain!);
  return { uri: leaf.subjectAltName, fits: leaf.checkPrivateKey(createPrivateKey(key!)) };
}

test("the bundle goes to whoever brings a certificate, and what is acknowledged is known", async (t) => {
  const scene = await sceneOf(t);
  const door = await openSecretDoor(t, scene);
  const stream = await door.streamOf(webId);
  stream.ask(["ROOTCA"], "node-of-web");
  const secret = await stream.next();
  const bundle = scene.authority.service.bundle();
  assert.equal(secret.version, bundleVersion(bundle));
  const pem = renderBundlePem(bundle);
  assert.deepEqual(decodeTrustSecret("ROOTCA", secret.body), [{ trustDomain: sceneDomain, pem }]);
  const taken = () => bundleStreams(door.discovery.status(), sceneDomain);
  assert.deepEqual(
    taken().map(({ spiffeId, node, acknowledged }) => [spiffeId, node, acknowledged]),
    [[webId, "node-of-web", undefined]],
  );
  stream.acknowledge(secret, ["ROOTCA"]);
  await until(() => taken()[0]?.acknowledged === secret.version);
  const record = await scene.store.issuance(stream.serialHex);
  assert.equal(taken()[0]?.fingerprint, record?.fingerprint);
  stream.close();
  await until(() => taken().length === 0);
});

test("one question has one answer: the bundle, and never a key", async (t) => {
  const scene = await sceneOf(t);
  const door = await openSecretDoor(t, scene, { sdsKeys: true });
  const { channel } = await door.channelOf(webId);
  const client = bytesClient({ kind: "tcp", host: "127.0.0.1", port: door.port }, channel);
  t.after(() => client.close());
  const fetch = async (...resourceNames: string[]) => {
    const request = toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { resourceNames }));
    const { resources } = fromBinary(
      DiscoveryResponseSchema,
      await client.call(`/${secretService}/FetchSecrets`, request),
    );
    return resources.map(({ value }) => fromBinary(SecretSchema, value).name);
  };
  assert.deepEqual(await fetch("ROOTCA", "default", webId), ["ROOTCA"]);
  await assert.rejects(fetch("default"), { code: grpcCodes.notFound });
  assert.equal((await scene.store.issuances({ limit: 10, spiffeId: webId })).length, 1, "no key was made");
});

test("secrets come by ADS too", async (t) => {
  const door = await openSecretDoor(t, await sceneOf(t));
  const stream = await door.streamOf(webId, `/${aggregatedService}/StreamAggregatedResources`);
  stream.ask(["ROOTCA"]);
  stream.acknowledge(await stream.next(), ["ROOTCA"]);
  await until(() => bundleStreams(door.discovery.status(), sceneDomain)[0]?.acknowledged !== undefined);
});

for (const plaintext of [false, true]) {
  test(`nobody gets anything without a certificate, ${plaintext ? "in plain text" : "over TLS"}`, async (t) => {
    const door = await openSecretDoor(t, await sceneOf(t), { plaintext });
    const stream = door.stranger();
    stream.ask(["ROOTCA"]);
    assert.equal((await stream.ended).code, grpcCodes.unauthenticated);
    assert.equal(stream.pending, 0);
    assert.ok(door.lines.some(({ message }) => message === "stream refused"));
  });
}

test("without `sdsKeys` there are no keys, and waiting for one is no error", async (t) => {
  const door = await openSecretDoor(t, await sceneOf(t));
  const stream = await door.streamOf(webId);
  stream.ask(["default"]);
  const beside = await door.streamOf(webId);
  beside.ask(["ROOTCA"]);
  await beside.next();
  assert.equal(stream.pending, 0);
  const names = door.discovery
    .status()
    .flatMap((each) => each.names.map(({ name, sent }) => `${name} ${sent === undefined}`));
  assert.deepEqual(names.toSorted(), ["ROOTCA false", "default true"]);
});

test("a key goes to its own identity alone, whatever the client says of itself", async (t) => {
  const door = await openSecretDoor(t, await sceneOf(t), { sdsKeys: true });
  const [web, other] = [await door.streamOf(webId), await door.streamOf(otherId)];
  web.ask([webId], webId);
  // The other one lies about who it is, and asks for what is not its own.
  other.ask([webId], webId);
  const key = keyPairOf((await web.next()).body);
  assert.deepEqual(key, { uri: `URI:${webId}`, fits: true });
  const own = await door.streamOf(otherId);
  own.ask(["default"], webId);
  assert.deepEqual(keyPairOf((await own.next()).body), { uri: `URI:${otherId}`, fits: true });
  assert.equal(other.pending, 0);
  assert.ok(!JSON.stringify(door.lines).includes("PRIVATE KEY"));
});

test("streams of one identity have one key, which is forgotten with the last", async (t) => {
  const scene = await sceneOf(t);
  const door = await openSecretDoor(t, scene, { sdsKeys: true });
  const [a, b] = [await door.streamOf(webId), await door.streamOf(webId)];
  for (const stream of [a, b]) stream.ask(["default"]);
  const [first, second] = [await a.next(), await b.next()];
  assert.equal(first.version, second.version);
  a.close();
  await until(() => door.discovery.status().length === 1);
  const c = await door.streamOf(webId);
  c.ask(["default"]);
  assert.equal((await c.next()).version, first.version);
  for (const stream of [b, c]) stream.close();
  await until(() => door.discovery.status().length === 0);
  const d = await door.streamOf(webId);
  d.ask(["default"]);
  assert.notEqual((await d.next()).version, first.version);
});

const revocations: readonly (readonly [
  what: string,
  target: (stream: { readonly serialHex: string }) => Parameters<Scene["authority"]["service"]["revoke"]>[0],
])[] = [
  ["certificate", ({ serialHex }) => ({ kind: "serial", serialHex })],
  ["identity", () => ({ kind: "identity", spiffeId: webId })],
];

for (const [what, target] of revocations) {
  test(`a stream ends at once when its ${what} is revoked, and the others go on`, async (t) => {
    const scene = await sceneOf(t);
    const door = await openSecretDoor(t, scene);
    const [stream, other] = [await door.streamOf(webId), await door.streamOf(otherId)];
    for (const each of [stream, other]) each.ask(["ROOTCA"]);
    await Promise.all([stream.next(), other.next()]);
    await scene.authority.service.revoke(target(stream), "lost", "test");
    assert.equal((await stream.ended).code, grpcCodes.permissionDenied);
    assert.deepEqual(
      door.discovery.status().map(({ caller }) => caller),
      [otherId],
    );
  });
}

test("a stream ends within a minute after its certificate has ended", async (t) => {
  const scene = await sceneOf(t);
  const time = createFakeTime();
  const door = await openSecretDoor(t, scene, { timers: time });
  const stream = await door.streamOf(webId);
  stream.ask(["ROOTCA"]);
  await stream.next();
  scene.shiftMillis = 2 * 86_400_000;
  await time.advance(60_000);
  assert.equal((await stream.ended).code, grpcCodes.unauthenticated);
});

test("a rejection is on the status page, in the log and in the numbers", async (t) => {
  const scene = await sceneOf(t);
  const heard: string[] = [];
  const door = await openSecretDoor(t, scene, { onStream: ({ kind, name }) => void heard.push(`${kind} ${name}`) });
  const stream: SecretStream = await door.streamOf(webId);
  stream.ask(["ROOTCA"]);
  const secret = await stream.next();
  stream.reject(secret, ["ROOTCA"], "Failed to load\ntrusted CA certificates");
  await until(() => heard.length > 0);
  assert.deepEqual(heard, ["rejected ROOTCA"]);
  const rejected = door.discovery.status()[0]?.names[0]?.rejected;
  assert.equal(rejected?.version, secret.version);
  assert.match(rejected?.message ?? "", /^Failed to load.+trusted CA certificates$/);
  const line = door.lines.find(({ message }) => message === "a secret was rejected");
  assert.deepEqual([line?.fields["resource"], line?.fields["spiffeId"]], ["ROOTCA", webId]);
  assert.equal(stream.pending, 0, "not sent again");
});
