import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { TrustBundle } from "#ca/authorities/contract";
import {
  createClientCertificateMethod,
  type IsRevoked,
  type RevokedPart,
  type VerifySvid,
} from "#ca/callers/client-certificate";
import type { Certificate } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { svidFaults } from "#ca/x509/svid-faults";
import { verifySvid } from "#ca/x509/verify-svid";
import { idOf, trustDomain } from "#test/support/ca/callers";
import { makeTestKeys } from "#test/support/ca/chain-certificates";
import { makeChains } from "#test/support/ca/chains";
import { makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";

const nowMillis = Date.UTC(2030, 0, 1);
const hourMillis = 3_600_000;
const anchors: readonly Certificate[] = [];
const leaf = { serial: new Uint8Array([0x0a, 0xff]) } as Certificate;
const id = idOf("spiffe://example.org/ns/foo/sa/web");
const chain = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];
const fingerprint = createHash("sha256").update(chain[0]!).digest("hex");

/** A method over a verifier that says what it is told, and what was asked. */
function sceneOf(found: ReturnType<VerifySvid> = { ok: true, id, leaf, notAfterMillis: nowMillis + hourMillis }) {
  const scene = {
    found,
    bundle: { trustDomain, sequence: 1, anchors } as TrustBundle,
    revoked: undefined as RevokedPart,
    verified: [] as (readonly Certificate[] | undefined)[],
    asked: [] as Parameters<IsRevoked>[0][],
  };
  const method = createClientCertificateMethod({
    verifySvid(_chain, bundleOf) {
      scene.verified.push(bundleOf(trustDomain), bundleOf("other.example"), bundleOf(""));
      return scene.found;
    },
    bundle: () => scene.bundle,
    isRevoked(asked) {
      scene.asked.push(asked);
      return scene.revoked;
    },
  });
  return { scene, method };
}

describe("a client certificate", () => {
  it("proves its one SPIFFE ID", async () => {
    const { scene, method } = sceneOf();
    assert.deepEqual(await method(chain, nowMillis), {
      ok: true,
      caller: { method: "x509-svid", id, fingerprint, serialHex: "0aff" },
    });
    assert.deepEqual(scene.asked, [{ spiffeId: id.toString(), serialHex: "0aff", fingerprint }]);
  });

  it("T4: is verified with the anchors of our own trust domain, and with no others", async () => {
    const { scene, method } = sceneOf();
    await method(chain, nowMillis);
    assert.deepEqual(scene.verified, [anchors, undefined, undefined]);
  });

  it("T4: of another trust domain proves nothing, whatever a verifier says", async () => {
    for (const text of [
      "spiffe://other.example/ns/foo/sa/web",
      "spiffe://example.org.evil/x",
      "spiffe://example.org",
    ]) {
      const { method } = sceneOf({ ok: true, id: idOf(text), leaf, notAfterMillis: nowMillis + hourMillis });
      const answer = await method(chain, nowMillis);
      assert.ok(!answer.ok);
      assert.equal(answer.kind, "refused");
      assert.match(answer.reason, /another trust domain|no workload/);
    }
  });

  it("that is refused is refused for the verifier's reason, each time anew", async () => {
    const { scene, method } = sceneOf({ ok: false, reason: "leaf-is-authority" });
    for (const count of [3, 6]) {
      assert.deepEqual(await method(chain, nowMillis), {
        ok: false,
        kind: "refused",
        reason: svidFaults["leaf-is-authority"],
      });
      assert.equal(scene.verified.length, count);
    }
    assert.deepEqual(scene.asked, []);
  });

  it("that is too long to be one is not looked at", async () => {
    const { scene, method } = sceneOf();
    const odd = [
      [],
      Array.from({ length: 9 }, () => new Uint8Array(1)),
      [new Uint8Array(32 * 1024), new Uint8Array(1)],
    ];
    for (const each of odd) {
      const answer = await method(each, nowMillis);
      assert.ok(!answer.ok);
      assert.equal(answer.kind, "refused");
    }
    assert.deepEqual(scene.verified, []);
  });

  it("is not verified again for a minute, while its revocation is looked at each time", async () => {
    const { scene, method } = sceneOf();
    const first = await method(chain, nowMillis);
    assert.deepEqual(await method(chain, nowMillis + 59_999), first);
    assert.equal(scene.verified.length, 3);
    for (const [part, kind, reason] of [
      ["certificate", "refused", "the certificate 0aff is revoked"],
      ["identity", "refused", "the identity `spiffe://example.org/ns/foo/sa/web` is revoked"],
      ["unknown", "unavailable", "whether the certificate is revoked cannot be told now"],
    ] as const) {
      scene.revoked = part;
      assert.deepEqual(await method(chain, nowMillis + 1), { ok: false, kind, reason });
    }
    scene.revoked = undefined;
    assert.equal(scene.verified.length, 3);
    await method(chain, nowMillis + 60_000);
    assert.equal(scene.verified.length, 6);
  });

  it("is verified again when it has ended, when the bundle changes, when the clock goes back, and for another leaf", async () => {
    const { scene, method } = sceneOf({ ok: true, id, leaf, notAfterMillis: nowMillis + 1_000 });
    const verifications = async (at: number, leafBytes = chain[0]!) => {
      const before = scene.verified.length;
      await method([leafBytes], at);
      return (scene.verified.length - before) / 3;
    };
    assert.equal(await verifications(nowMillis), 1);
    assert.equal(await verifications(nowMillis + 999), 0);
    assert.equal(await verifications(nowMillis + 1_000), 1);
    assert.equal(await verifications(nowMillis), 1);
    assert.equal(await verifications(nowMillis - 1), 1);
    scene.bundle = { ...scene.bundle, sequence: 2 };
    assert.equal(await verifications(nowMillis - 1), 1);
    assert.equal(await verifications(nowMillis - 1, new Uint8Array([1, 2, 4])), 1);
    assert.equal(await verifications(nowMillis - 1), 0);
  });
});

function read(der: Uint8Array): Certificate {
  const found = readCertificate(der);
  assert.ok(found.ok);
  return found.value;
}

/** The method with the real verifier, for one trust domain. */
function realMethod(name: string, roots: readonly Uint8Array[]) {
  const bundle: TrustBundle = { trustDomain: name, sequence: 1, anchors: roots.map(read) };
  return createClientCertificateMethod({ verifySvid, bundle: () => bundle, isRevoked: () => undefined });
}

describe("a client certificate, really verified", () => {
  it("T3, T4, T5: of every chain that is none of our trust domain's workloads proves nothing", async () => {
    const chains = makeChains(await makeTestKeys(), nowMillis);
    let proven = 0;
    for (const one of chains) {
      const ours: string[] = [];
      for (const [name, roots] of Object.entries(one.bundles)) {
        const answer = await realMethod(name, roots)(one.chain, nowMillis);
        if (answer.ok && answer.caller.method === "x509-svid") ours.push(`${name} ${answer.caller.id.trustDomain}`);
      }
      if (one.expected === "ok") proven++;
      assert.equal(ours.length, one.expected === "ok" ? 1 : 0, one.name);
      for (const each of ours) assert.equal(new Set(each.split(" ")).size, 1, one.name);
    }
    assert.ok(proven > 3 && chains.length > 3 * proven, `${proven} of ${chains.length}`);
  });

  it("T3: with DNS names that look like identities proves its URI alone", async () => {
    const root = makeAuthority({ kind: "P-256", profile: "root" });
    const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
    const leafWithNames = makeLeaf(issuing, { dnsNames: ["admin.cluster.local", "spiffe.cluster.local"] });
    const method = realMethod("cluster.local", [root.certificate.der]);
    const answer = await method([leafWithNames.der, issuing.certificate.der], Date.now());
    assert.ok(answer.ok && answer.caller.method === "x509-svid");
    assert.equal(answer.caller.id.toString(), "spiffe://cluster.local/ns/default/sa/httpbin");
    assert.equal(answer.caller.serialHex, Buffer.from(leafWithNames.serial).toString("hex"));
    assert.equal(answer.caller.fingerprint, createHash("sha256").update(leafWithNames.der).digest("hex"));
    // Known and not looked at again, it still ends.
    assert.ok((await method([leafWithNames.der], Date.now())).ok);
    assert.ok(!(await method([leafWithNames.der, issuing.certificate.der], leafWithNames.notAfter.millis + 1_000)).ok);
    // Neither an authority nor the root is a workload.
    for (const chain of [
      [issuing.certificate.der],
      [root.certificate.der],
      [issuing.certificate.der, root.certificate.der],
    ]) {
      assert.ok(!(await method(chain, Date.now())).ok);
    }
  });
});
