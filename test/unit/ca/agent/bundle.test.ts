import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { hour, lifeScene, pemOf } from "#test/support/ca/agent/life-scene";
import { makeAuthority } from "#test/support/ca/make-certificate";

const longLived = { notAfterMillis: Date.now() + 1000 * hour, notBeforeMillis: Date.now() - 1000 * hour };
const secondRoot = makeAuthority({ kind: "P-384", profile: "root" }, { ...longLived, commonName: "the second root" });
const secondIssuing = makeAuthority({ kind: "P-384", profile: "issuing", issuer: secondRoot }, longLived);

describe("a bundle that the authority sends", () => {
  it("is served at once, kept, and acknowledged when no local stream waits for it", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    scene.standing = { waiting: 2, rejected: undefined };
    const offered = scene.push([scene.root.certificate, secondRoot.certificate]);
    assert.equal(life.served.bundle()?.anchors.length, 2);
    await scene.settle();
    assert.equal(life.status().kept, true);
    assert.equal(offered.answer, "none");
    assert.equal(life.status().bundle?.acknowledged, false);
    scene.standing = { waiting: 1, rejected: undefined };
    life.look();
    assert.equal(offered.answer, "none");
    scene.standing = { waiting: 0, rejected: undefined };
    // A stream that ended says nothing: it is noticed within a second.
    await scene.pass(1_000);
    assert.equal(offered.answer, "accepted");
    assert.equal(life.status().bundle?.acknowledged, true);
  });

  it("that a local Envoy rejects is rejected with its words, those before it too", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    scene.standing = { waiting: 1, rejected: undefined };
    const first = scene.push([scene.root.certificate, secondRoot.certificate]);
    const third = makeAuthority({ kind: "P-256", profile: "root" }, { ...longLived, commonName: "a third" });
    const second = scene.push([scene.root.certificate, secondRoot.certificate, third.certificate]);
    await scene.settle();
    scene.standing = { waiting: 1, rejected: "Envoy says no" };
    life.look();
    assert.deepEqual([first.answer, second.answer], ["Envoy says no", "Envoy says no"]);
    assert.equal(life.status().bundle?.rejected, "Envoy says no");
  });

  it("that is none is rejected, and the one in force stays", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    const before = life.served.bundle();
    assert.match(scene.push([scene.issuing.certificate]).answer, /no self-issued authority/);
    assert.match(scene.push([]).answer, /cannot be read/);
    assert.equal(life.served.bundle(), before);
    assert.equal(life.status().failure?.code, "agent/bundle");
  });

  it("without the root of the certificate has it renewed within ten seconds, and not at once", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    scene.bundle = [secondRoot.certificate];
    scene.issuing = secondIssuing;
    scene.push();
    await scene.pass(4_900);
    assert.equal(scene.asked.length, 1);
    await scene.pass(1_100);
    assert.equal(scene.asked.length, 2);
    assert.deepEqual(life.served.certificate()?.chain[1]?.der, secondIssuing.certificate.der);
    assert.equal(scene.links.at(-1)!.credential.kind, "certificate");
  });

  it("is what the authority's server is verified by, from then on", async (t) => {
    const scene = lifeScene(t);
    await scene.start();
    const offered = scene.push([scene.root.certificate, secondRoot.certificate]);
    await scene.settle();
    await scene.pass(1_000);
    assert.equal(offered.answer, "accepted");
    const open = scene.links.filter((link) => link.open);
    assert.deepEqual(
      open.map(({ anchors }) => anchors.length),
      [2],
    );
    // The same bundle over the new connection opens none again.
    scene.push([scene.root.certificate, secondRoot.certificate]);
    await scene.pass(60_000);
    assert.equal(scene.links.filter((link) => link.open)[0], open[0]);
  });

  it("with more roots renews nothing", async (t) => {
    const scene = lifeScene(t);
    await scene.start();
    scene.push([scene.root.certificate, secondRoot.certificate]);
    await scene.pass(hour);
    assert.equal(scene.asked.length, 1);
  });
});

describe("a certificate of a root that is not known here yet", () => {
  it("waits until local streams have the root, and the old one is served meanwhile", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    const first = life.served.certificate();
    scene.bundle = [scene.root.certificate, secondRoot.certificate];
    scene.issuing = secondIssuing;
    scene.standing = { waiting: 1, rejected: undefined };
    const versions: (string | undefined)[] = [];
    life.served.subscribe(() => {
      const bundle = life.served.bundle();
      const isNew = life.served.certificate() !== first;
      versions.push(isNew ? "leaf" : bundle && bundleVersion(bundle).slice(0, 4));
    });
    await scene.pass(12.3 * hour - 5_000);
    assert.equal(scene.asked.length, 2);
    const anchors = life.served.bundle()!;
    assert.equal(anchors.anchors.length, 2);
    assert.ok(
      versions.indexOf("leaf") === -1 ||
        versions.indexOf(bundleVersion(anchors).slice(0, 4)) < versions.indexOf("leaf"),
    );
    assert.equal(versions[0], bundleVersion(anchors).slice(0, 4));
  });

  it("does not wait for a stream that answers nothing for longer than ten seconds", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    const first = life.served.certificate();
    scene.bundle = [secondRoot.certificate, scene.root.certificate];
    scene.issuing = secondIssuing;
    scene.standing = { waiting: 1, rejected: undefined };
    let millis = 0;
    while (scene.asked.length < 2) {
      await scene.pass(5_000);
      millis += 5_000;
      assert.ok(millis < 13 * hour);
    }
    assert.equal(life.served.certificate(), first);
    await scene.pass(4_000);
    assert.equal(life.served.certificate(), first);
    await scene.pass(7_000);
    assert.notEqual(life.served.certificate(), first);
  });
});

it("the bundle in force is what the authority's server is verified by", async (t) => {
  const scene = lifeScene(t);
  await scene.start();
  await scene.pass(12.3 * hour);
  assert.equal(pemOf(scene.asked[1]!.anchors), pemOf([scene.root.certificate]));
});
