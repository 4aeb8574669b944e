import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { parsePemBundle } from "#ca/bundle/parse-pem-bundle";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import { decodeTrustSecret } from "#ca/transport/sds/decode-trust-secret";
import { sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { openSecretDoor, type SecretDoor } from "#test/support/ca/secret-door";
import { SecretStream } from "#test/support/ca/secret-stream";
import { until } from "#test/support/until";

function anchorsIn(body: Uint8Array): number {
  const [bundle] = decodeTrustSecret("ROOTCA", body) ?? [];
  const read = parsePemBundle(bundle?.pem ?? "");
  assert.ok(read.ok);
  return read.value.length;
}

test("a new root is pushed at once, and is not used before the stream has acknowledged it", async (t) => {
  let door: SecretDoor | undefined;
  const scene = await testScene(t, {
    serverNames: ["localhost"],
    streams: () => bundleStreams(door?.discovery.status() ?? [], sceneDomain),
    rotationSettings: { settleMillis: 0, skewMillis: 0, lookMillis: 60_000 },
  });
  const { authorities, rotation, service } = scene.authority;
  let heard = 0;
  door = await openSecretDoor(t, scene, { onStream: () => void heard++ });
  const { channel } = await door.channelOf(webId);
  const open = () => {
    const stream = new SecretStream(door!.port, channel);
    t.after(() => stream.close());
    stream.ask(["ROOTCA"], "node-of-web");
    return stream;
  };
  const first = open();
  const before = await first.next();
  first.acknowledge(before, ["ROOTCA"]);
  const oldRoot = authorities.current().issuing?.root.der;

  await service.root.rotate("test");
  const pushed = await first.next();
  assert.deepEqual([anchorsIn(before.body), anchorsIn(pushed.body)], [1, 2]);
  assert.equal(pushed.version, bundleVersion(service.bundle()));
  const heldUpBy = async () => {
    await rotation.lookAfter();
    return (await service.root.status()).steps.flatMap((step) => step.heldUpBy);
  };
  const web = { kind: "stream", spiffeId: webId, node: "node-of-web" };
  assert.deepEqual(await heldUpBy(), [{ ...web, rejected: undefined }]);

  first.reject(pushed, ["ROOTCA"], "no room for two");
  await until(() => heard === 2);
  assert.deepEqual(await heldUpBy(), [{ ...web, rejected: "no room for two" }]);
  assert.deepEqual(authorities.current().issuing?.root.der, oldRoot);

  first.close();
  const second = open();
  const again = await second.next();
  assert.equal(again.version, pushed.version);
  second.acknowledge(again, ["ROOTCA"]);
  await until(async () => {
    await rotation.lookAfter();
    return Buffer.compare(authorities.current().issuing!.root.der, oldRoot!) !== 0;
  }, "another root in use");
  assert.equal(second.pending, 0, "both anchors were there already");
});
