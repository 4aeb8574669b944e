import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { IdentityLife } from "#ca/agent/identity-life";
import { grpcCodes } from "#platform/grpc/codes";
import { agentId, hour, type LifeScene, lifeScene } from "#test/support/ca/agent/life-scene";
import { makeAuthority } from "#test/support/ca/make-certificate";

const minute = 60_000;

function leafOf(life: IdentityLife) {
  const certificate = life.served.certificate();
  assert.ok(certificate !== undefined);
  return certificate.chain[0]!;
}

/** A life that has its first certificate. */
async function served(t: TestContext): Promise<{ scene: LifeScene; life: IdentityLife }> {
  const scene = lifeScene(t);
  const life = await scene.start();
  assert.equal(life.status().state, "valid");
  return { scene, life };
}

describe("an identity of the agent", () => {
  it("gets its first certificate by its token, and follows the bundle with it", async (t) => {
    const { scene, life } = await served(t);
    assert.deepEqual(
      scene.asked.map(({ credential }) => credential.kind),
      ["bearer"],
    );
    assert.equal(life.served.bundle()?.anchors.length, 1);
    assert.deepEqual(
      scene.links.map(({ credential, open }) => [credential.kind, open]),
      [
        ["bearer", false],
        ["certificate", true],
      ],
    );
    const status = life.status();
    assert.equal(status.spiffeId, agentId.toString());
    assert.equal(status.kept, true);
    assert.equal(status.failure, undefined);
  });

  it("is renewed with its own certificate and a new key at half of its life, give or take one part in a hundred", async (t) => {
    const { scene, life } = await served(t);
    const first = leafOf(life);
    await scene.pass(11.7 * hour);
    assert.equal(scene.asked.length, 1);
    await scene.pass(0.6 * hour);
    assert.equal(scene.asked.length, 2);
    assert.equal(scene.asked[1]!.credential.kind, "certificate");
    assert.notEqual(scene.asked[1]!.key, scene.asked[0]!.key);
    assert.notDeepEqual(leafOf(life).serial, first.serial);
    // The connection of the new certificate took the place of the old one's.
    assert.deepEqual(
      scene.links.map(({ open }) => open),
      [false, false, true],
    );
  });

  it("is not asked for over and over where certificates begin long before they are issued", async (t) => {
    const scene = lifeScene(t);
    scene.leafMillis = minute;
    const life = await scene.start();
    await scene.pass(29_000);
    assert.equal(scene.asked.length, 1);
    await scene.pass(2_000);
    assert.equal(scene.asked.length, 2);
    assert.equal(life.status().state, "valid");
  });

  it("is served through an outage, and asked for with a back-off that grows to a minute", async (t) => {
    const { scene, life } = await served(t);
    const first = leafOf(life);
    scene.answer = () => ({ ok: false, code: grpcCodes.unavailable, message: "nobody there" });
    await scene.pass(12.3 * hour);
    const tried = scene.asked.length;
    assert.ok(tried > 5, `${tried}`);
    assert.equal(leafOf(life), first);
    assert.deepEqual(
      { ...life.status().failure, atMillis: 0, tries: 0 },
      { code: "agent/unreachable", message: "nobody there", atMillis: 0, tries: 0 },
    );
    await scene.pass(10 * minute);
    const inTenMinutes = scene.asked.length - tried;
    assert.ok(inTenMinutes >= 9 && inTenMinutes <= 11, `${inTenMinutes}`);
    scene.answer = undefined;
    await scene.pass(minute);
    assert.notEqual(leafOf(life), first);
    assert.equal(life.status().failure, undefined);
  });

  it("is asked for slowly where the authority refuses it, and told as not registered while it has nothing", async (t) => {
    const scene = lifeScene(t);
    scene.answer = () => ({ ok: false, code: grpcCodes.permissionDenied, message: "no such registration" });
    const life = await scene.start();
    assert.equal(life.served.isUnregistered(), true);
    assert.equal(life.status().state, "waiting");
    assert.equal(life.status().failure?.code, "agent/refused");
    await scene.pass(29_000);
    assert.equal(scene.asked.length, 1);
    scene.answer = undefined;
    await scene.pass(2_000);
    assert.equal(life.status().state, "valid");
    assert.equal(life.served.isUnregistered(), false);
  });

  it("waits for a token that is not there", async (t) => {
    const scene = lifeScene(t);
    scene.token = undefined;
    const life = await scene.start();
    assert.equal(life.status().failure?.code, "agent/attestation");
    scene.token = "it came";
    await scene.pass(31_000);
    assert.equal(life.status().state, "valid");
  });

  it("whose certificate is not accepted any more is attested anew", async (t) => {
    const { scene, life } = await served(t);
    scene.answer = ({ credential }) =>
      credential.kind === "certificate"
        ? { ok: false, code: grpcCodes.unauthenticated, message: "revoked" }
        : undefined;
    await scene.pass(12.3 * hour);
    assert.deepEqual(
      scene.asked.map(({ credential }) => credential.kind),
      ["bearer", "certificate", "bearer"],
    );
    assert.equal(life.status().failure, undefined);
  });

  it("that the authority's stream does not take any more is replaced within ten seconds, or it is told why not", async (t) => {
    const { scene, life } = await served(t);
    scene.answer = ({ credential }) =>
      credential.kind === "certificate" ? { ok: false, code: 16, message: "revoked" } : undefined;
    scene.token = undefined;
    scene.refuse();
    scene.refuse();
    await scene.pass(10_000);
    assert.equal(scene.asked.length, 2);
    assert.match(life.status().failure?.message ?? "", /revoked/);
    scene.token = "another token";
    await scene.pass(60_000);
    assert.equal(life.status().failure, undefined);
    assert.equal(scene.asked.at(-1)?.credential.kind, "bearer");
  });

  it("that has ended is renewed for the very same key, and told as ended meanwhile", async (t) => {
    const { scene, life } = await served(t);
    scene.answer = () => ({ ok: false, code: grpcCodes.unavailable, message: "nobody there" });
    scene.token = undefined;
    await scene.pass(25 * hour);
    assert.equal(life.status().state, "ended");
    scene.answer = undefined;
    await scene.pass(61_000);
    assert.equal(life.status().state, "valid");
    const last = scene.asked.at(-1)!;
    assert.equal(last.credential.kind, "certificate");
    assert.equal(last.key, scene.asked[0]!.key);
    // The next one has a key of its own again.
    await scene.pass(12.3 * hour);
    assert.notEqual(scene.asked.at(-1)!.key, scene.asked[0]!.key);
  });
});

it("a defect of ours is told as agent/failed, and the life goes on", async (t) => {
  const scene = lifeScene(t);
  scene.answer = () => {
    throw new Error("a defect of the test's making");
  };
  const life = await scene.start();
  assert.equal(life.status().failure?.code, "agent/failed");
  scene.answer = undefined;
  await scene.pass(2_000);
  assert.equal(life.status().state, "valid");
});

describe("the clock of an agent's machine", () => {
  it("that is set forward by an hour makes a renewal due within half a minute", async (t) => {
    const { scene } = await served(t);
    await scene.pass(11.5 * hour);
    assert.equal(scene.asked.length, 1);
    scene.time.jump(hour);
    await scene.pass(31_000);
    assert.equal(scene.asked.length, 2);
  });

  it("that is set back by an hour has the certificate renewed once, within half a minute", async (t) => {
    const { scene, life } = await served(t);
    scene.time.jump(-hour);
    scene.authorityAheadMillis = hour;
    assert.equal(life.status().state, "not-begun");
    await scene.pass(31_000);
    assert.equal(scene.asked.length, 2);
    await scene.pass(hour);
    assert.equal(scene.asked.length, 2);
    assert.equal(life.status().state, "valid");
    assert.equal(life.status().failure, undefined);
  });

  it("that is behind the authority's does not keep a certificate from being taken", async (t) => {
    const scene = lifeScene(t);
    scene.authorityAheadMillis = hour;
    const life = await scene.start();
    assert.equal(life.status().state, "not-begun");
    await scene.pass(11 * hour);
    assert.equal(scene.asked.length, 1);
    assert.equal(life.status().state, "valid");
  });

  it("that is ahead by more than a lifetime has the certificate refused, and told", async (t) => {
    const scene = lifeScene(t);
    scene.authorityAheadMillis = -25 * hour;
    const life = await scene.start();
    assert.equal(life.served.certificate(), undefined);
    assert.equal(life.status().failure?.code, "agent/answer");
    assert.match(life.status().failure!.message, /has ended, by the clock of this machine/);
    await scene.pass(minute);
    assert.ok(scene.asked.length <= 3, "it is asked again and again");
  });

  it("that stood while the machine slept makes up for it with the first look", async (t) => {
    const { scene, life } = await served(t);
    // The monotonic clock and the timers stood still.
    scene.time.jump(26 * hour);
    assert.equal(life.status().state, "ended");
    await scene.pass(30_001);
    assert.equal(scene.asked.length, 2);
    assert.equal(life.status().state, "valid");
  });
});

describe("an answer of the authority", () => {
  const other = makeAuthority({ kind: "P-256", profile: "root" }, { commonName: "another root" });

  it("for another identity is not taken", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start({
      settings: {
        spiffeId: { ...agentId, toString: () => "spiffe://cluster.local/ns/shop/sa/other" } as typeof agentId,
      },
    });
    assert.equal(life.status().failure?.code, "agent/answer");
    assert.equal(life.served.certificate(), undefined);
  });

  it("for another key is not taken", async (t) => {
    const scene = lifeScene(t);
    const life = await scene.start();
    const chain = life.served.certificate()!.chain;
    const { pemOf } = await import("#test/support/ca/agent/life-scene");
    scene.answer = () => ({ ok: true, chain: [pemOf(chain.slice(0, 1)), pemOf(chain.slice(1)), pemOf(scene.bundle)] });
    await scene.pass(12.3 * hour);
    assert.match(life.status().failure!.message, /its key is not the one/);
  });

  it("whose bundle holds what is no root, or whose chain ends elsewhere, is not taken", async (t) => {
    const scene = lifeScene(t);
    scene.bundle = [scene.root.certificate, scene.issuing.certificate];
    const life = await scene.start();
    assert.equal(life.status().failure?.code, "agent/bundle");
    scene.bundle = [other.certificate];
    await scene.pass(31_000);
    assert.equal(life.status().failure?.code, "agent/answer");
    assert.equal(life.served.bundle(), undefined);
  });
});
