import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Certificate, keyKinds } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { type SvidFault, svidFaults } from "#ca/x509/svid-faults";
import { verifySvid } from "#ca/x509/verify-svid";
import { type CertificateParts, extensions, fabricatedSpki } from "#test/support/ca/certificate-parts";
import { makeCertificate, makeTestKeys } from "#test/support/ca/chain-certificates";
import { type ChainCase, makeChains } from "#test/support/ca/chains";
import * as d from "#test/support/ca/der-builder";
import { makeOpensslChain } from "#test/support/ca/openssl-chain";

const nowMillis = Date.UTC(2026, 10, 1, 12);
const keys = await makeTestKeys();
const chains = makeChains(keys, nowMillis);

function certificate(der: Uint8Array): Certificate {
  const read = readCertificate(der);
  assert.ok(read.ok, !read.ok ? read.fault.message : "");
  return read.value;
}

function verdictOf({ chain, bundles }: Pick<ChainCase, "chain" | "bundles">, atMillis = nowMillis) {
  return verifySvid(chain, (trustDomain) => bundles[trustDomain]?.map(certificate), atMillis);
}

for (const each of chains) {
  test(`${each.expected}: ${each.name}`, () => {
    const verdict = verdictOf(each);
    assert.equal(verdict.ok ? "ok" : verdict.reason, each.expected);
    if (!verdict.ok) return;
    assert.deepEqual(verdict.leaf.der, each.chain[0]);
    assert.match(String(verdict.id), /^spiffe:\/\/(mesh\.example|cluster\.local)\/ns\/shop\/sa\/cart$/);
    assert.ok(verdict.notAfterMillis > nowMillis && verdict.notAfterMillis <= verdict.leaf.notAfter.millis);
  });
}

const find = (name: string) => chains.find((each) => each.name === name) ?? assert.fail(name);
const plain = find("everything P-256");
const make = (making: Omit<Parameters<typeof makeCertificate>[0], "nowMillis">) =>
  makeCertificate({ ...making, nowMillis });
const root = make({ profile: "root", key: keys("P-256", "root"), issuer: undefined });
const named = (name: string) => ({ subject: d.distinguishedName([d.commonName, d.utf8(name)]) });

test("what is no chain is told", () => {
  const reasons = (chain: readonly Uint8Array[]) => {
    const verdict = verdictOf({ chain, bundles: plain.bundles });
    return verdict.ok ? "ok" : verdict.reason;
  };
  const [leaf, issuing] = plain.chain as [Uint8Array, Uint8Array];
  assert.equal(reasons([]), "chain-empty");
  assert.equal(reasons([leaf, ...Array.from({ length: 7 }, () => issuing)]), "ok");
  assert.equal(reasons([leaf, ...Array.from({ length: 8 }, () => issuing)]), "chain-too-long");
  assert.equal(reasons([leaf, issuing, new Uint8Array(64 * 1024)]), "chain-too-large");
  assert.equal(reasons([new Uint8Array(0)]), "certificate-unreadable");
  assert.equal(reasons([leaf, issuing, leaf.subarray(1)]), "certificate-unreadable");
  assert.equal(reasons([leaf, d.joined(issuing, d.bytes(0))]), "certificate-unreadable");
});

test("only the bundle of the leaf's own trust domain is asked for", () => {
  const asked: string[] = [];
  const verdict = verifySvid(
    plain.chain,
    (trustDomain) => {
      asked.push(trustDomain);
      return undefined;
    },
    nowMillis,
  );
  assert.deepEqual([asked, verdict], [["mesh.example"], { ok: false, reason: "trust-domain-unknown" }]);
  assert.deepEqual(
    verifySvid(plain.chain, () => [], nowMillis),
    { ok: false, reason: "trust-domain-unknown" },
  );
});

test("a chain is valid from its first second to its last, and not on a clock that is none", () => {
  const leaf = certificate(plain.chain[0]!);
  const at = (millis: number) => {
    const verdict = verdictOf(plain, millis);
    return verdict.ok ? "ok" : verdict.reason;
  };
  assert.equal(at(leaf.notBefore.millis - 1), "leaf-not-yet-valid");
  assert.equal(at(leaf.notBefore.millis), "ok");
  assert.equal(at(leaf.notAfter.millis), "ok");
  assert.equal(at(leaf.notAfter.millis + 1), "leaf-expired");
  assert.equal(at(Number.NaN), "leaf-not-yet-valid");
});

test("a verdict ends with the first certificate of its path", () => {
  const soon = d.time(nowMillis + 60_000);
  const brief = make({ profile: "issuing", key: keys("P-256", "issuing"), issuer: root, changes: { notAfter: soon } });
  const long = make({ profile: "leaf", key: keys("P-256", "leaf"), issuer: brief });
  const verdict = verdictOf({ chain: [long.der, brief.der], bundles: { "mesh.example": [root.der] } });
  assert.ok(verdict.ok);
  assert.equal(verdict.notAfterMillis, nowMillis + 60_000);
  const briefRoot = make({
    profile: "root",
    key: keys("P-256", "root"),
    issuer: undefined,
    changes: { notAfter: soon },
  });
  const byRoot = make({ profile: "leaf", key: keys("P-256", "leaf"), issuer: briefRoot });
  const ended = verdictOf({ chain: [byRoot.der], bundles: { "mesh.example": [briefRoot.der] } });
  assert.ok(ended.ok);
  assert.equal(ended.notAfterMillis, nowMillis + 60_000);
});

test("a leaf is asked for the purpose that it is used for", () => {
  const forServers = find("a leaf for servers alone");
  const bundleOf = (trustDomain: string) => forServers.bundles[trustDomain]?.map(certificate);
  assert.equal(verifySvid(forServers.chain, bundleOf, nowMillis, "server").ok, true);
  assert.deepEqual(verifySvid(forServers.chain, bundleOf, nowMillis, "client"), { ok: false, reason: "leaf-purpose" });
});

test("authorities of version 1, and with keys that are not taken, are refused", () => {
  const reasonUnder = (changes: Partial<CertificateParts>) => {
    const issuing = make({ profile: "issuing", key: keys("P-256", "issuing"), issuer: root, changes });
    const leaf = make({ profile: "leaf", key: keys("P-256", "leaf"), issuer: issuing });
    const verdict = verdictOf({ chain: [leaf.der, issuing.der], bundles: { "mesh.example": [root.der] } });
    return verdict.ok ? "ok" : verdict.reason;
  };
  assert.equal(reasonUnder({ version: new Uint8Array(0) }), "authority-version");
  // A point that is on no curve, and one at infinity, which must not reach OpenSSL at all.
  assert.equal(reasonUnder({ spki: fabricatedSpki("P-256", "no point") }), "authority-key");
  const curve = d.sequence(d.oid("1.2.840.10045.2.1"), d.oid("1.2.840.10045.3.1.7"));
  assert.equal(reasonUnder({ spki: d.sequence(curve, d.bits(d.bytes(0))) }), "authority-key");
  assert.equal(reasonUnder({ spki: fabricatedSpki("RSA-2048", "another kind") }), "algorithm-not-taken");
});

test("authorities that sign each other in circles end the search", () => {
  const [oneKey, twoKey] = [keys("P-384", "root"), keys("P-384", "issuing")];
  const one = { ...make({ profile: "root", key: oneKey, issuer: undefined, changes: named("one") }) };
  const two = { ...make({ profile: "root", key: twoKey, issuer: undefined, changes: named("two") }) };
  const unlimited = { basicConstraints: [extensions.basicConstraints([d.boolean(true)])] };
  const circle = Array.from({ length: 7 }, (_, i) => {
    const [key, issuer, name] = i % 2 === 0 ? ([oneKey, two, "one"] as const) : ([twoKey, one, "two"] as const);
    return make({ profile: "issuing", key, issuer, changes: { ...named(name), ...unlimited } }).der;
  });
  const leaf = make({ profile: "leaf", key: keys("P-256", "leaf"), issuer: one });
  const verdict = verdictOf({ chain: [leaf.der, ...circle], bundles: { "mesh.example": [root.der] } });
  assert.deepEqual(verdict, { ok: false, reason: "too-many-paths" });
});

test("chains that OpenSSL makes are taken, with every kind of key", async (t) => {
  for (const kind of keyKinds) {
    const { chain, anchor } = await makeOpensslChain(kind, keys);
    const verdict = verifySvid(
      chain,
      (name) => (name === "mesh.example" ? [certificate(anchor)] : undefined),
      Date.now(),
    );
    assert.ok(verdict.ok, `${kind}: ${!verdict.ok && verdict.reason}`);
    assert.equal(String(verdict.id), "spiffe://mesh.example/ns/shop/sa/cart");
  }
  t.diagnostic(`${keyKinds.length} chains`);
});

test("every reason is given by a test", () => {
  const source = readFileSync(new URL(import.meta.url), "utf8");
  const given = new Set(chains.map(({ expected }) => expected));
  const lacking = Object.keys(svidFaults).filter(
    (reason) => !given.has(reason as SvidFault) && !source.includes(`"${reason}"`),
  );
  assert.deepEqual(lacking, []);
});
