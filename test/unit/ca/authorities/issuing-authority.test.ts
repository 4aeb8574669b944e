import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { inspect } from "node:util";
import type { AuthorityCertificate } from "#ca/authorities/authority-certificate";
import type { IssuingAuthority } from "#ca/authorities/contract";
import { createIssuing } from "#ca/authorities/create-issuing";
import { createRoot } from "#ca/authorities/create-root";
import { generateKey } from "#ca/authorities/generate-key";
import { createIssuingAuthority } from "#ca/authorities/issuing-authority";
import { selfTest } from "#ca/authorities/self-test";
import type { CreatedAuthority } from "#ca/authorities/sign-authority";
import type { LintContext } from "#ca/lint/contract";
import { type LintedTemplate, lintTemplate } from "#ca/lint/linted-template";
import { readCertificate } from "#ca/x509/read-certificate";
import { buildTbs, drawSerial } from "#ca/x509/write-certificate";

const nowMillis = Date.UTC(2030, 0, 1);
const day = 24 * 3_600_000;
const base = { trustDomain: "example.org", nowMillis, random: randomBytes };

let root: CreatedAuthority;
let created: CreatedAuthority;
let path: readonly AuthorityCertificate[];
let authority: IssuingAuthority;

before(async () => {
  root = await createRoot({ ...base, keyKind: "P-256", generation: 1, lifetimeMillis: 3650 * day });
  created = await createIssuing({ ...base, keyKind: "P-256", lifetimeMillis: 90 * day, root });
  path = [created.authority, root.authority];
  authority = createIssuingAuthority(path, created.privateKey);
});

/** A leaf that is right for the issuer, linted. */
async function lintedLeaf(issuer: IssuingAuthority, but: Partial<LintContext> = {}): Promise<LintedTemplate> {
  const { publicKey } = await generateKey("P-256");
  const times = { notBeforeMillis: nowMillis, notAfterMillis: nowMillis + 3_600_000 };
  const uri = "spiffe://example.org/ns/default/sa/a";
  const tbsDer = buildTbs({
    profile: "leaf",
    serial: drawSerial(randomBytes),
    issuer: issuer.names,
    ...times,
    subjectPublicKeyDer: publicKey.spkiDer,
    uri,
    dnsNames: [],
    ipAddresses: [],
  });
  const result = lintTemplate(tbsDer, {
    profile: "leaf",
    issuer: { body: issuer.certificate, keyKind: issuer.keyKind },
    signerKeyKind: issuer.keyKind,
    subjectKeyKind: "P-256",
    grantedSpkiDer: publicKey.spkiDer,
    grantedId: uri,
    grantedDnsNames: [],
    grantedIpAddresses: [],
    grantedNotBeforeMillis: times.notBeforeMillis,
    grantedNotAfterMillis: times.notAfterMillis,
    ...but,
  });
  assert.ok(result.ok, JSON.stringify(result));
  return result.linted;
}

test("what was linted for it is signed unchanged, and verifies", async () => {
  const linted = await lintedLeaf(authority);
  const read = readCertificate(authority.sign(linted));
  assert.ok(read.ok);
  assert.deepEqual(new Uint8Array(read.value.tbsDer), new Uint8Array(linted.body.tbsDer));
  assert.ok(authority.verify(read.value.tbsDer, read.value.signature));
  const other = Uint8Array.from(read.value.tbsDer);
  other[20]! ^= 1;
  assert.ok(!authority.verify(other, read.value.signature));
});

test("it signs nothing that was linted for another authority, even of the same root", async () => {
  const sibling = await createIssuing({ ...base, keyKind: "P-256", lifetimeMillis: 90 * day, root });
  const other = createIssuingAuthority([sibling.authority, root.authority], sibling.privateKey);
  const linted = await lintedLeaf(other);
  assert.throws(() => authority.sign(linted), /no leaf of this authority/);
  assert.ok(other.sign(linted).length > 0);
});

test("it signs no authority", async () => {
  const narrow = createIssuingAuthority([root.authority], root.privateKey);
  const { publicKey } = await generateKey("P-256");
  const times = { notBeforeMillis: nowMillis, notAfterMillis: nowMillis + 2 * day };
  const tbsDer = buildTbs({
    profile: "issuing",
    serial: drawSerial(randomBytes),
    issuer: narrow.names,
    organization: "example.org",
    commonName: "issuer x",
    ...times,
    subjectPublicKeyDer: publicKey.spkiDer,
    uri: "spiffe://example.org",
  });
  const result = lintTemplate(tbsDer, {
    profile: "issuing",
    issuer: { body: narrow.certificate, keyKind: narrow.keyKind },
    signerKeyKind: narrow.keyKind,
    subjectKeyKind: "P-256",
    grantedSpkiDer: publicKey.spkiDer,
    grantedId: "spiffe://example.org",
    grantedDnsNames: [],
    grantedIpAddresses: [],
    grantedNotBeforeMillis: times.notBeforeMillis,
    grantedNotAfterMillis: times.notAfterMillis,
  });
  assert.ok(result.ok, JSON.stringify(result));
  assert.throws(() => narrow.sign(result.linted), /no leaf of this authority/);
});

test("its key has no way out", () => {
  assert.ok(!inspect(authority, { depth: 9, showHidden: true }).includes("PrivateKeyObject"));
  assert.ok(Object.values(authority).every((value) => value !== created.privateKey));
  assert.ok(Object.isFrozen(authority));
});

test("another key than the certificate's is refused", () => {
  assert.throws(() => createIssuingAuthority(path, root.privateKey), /does not belong/);
});

test("a key with the certificate's public half and another private half is refused", async () => {
  const der = created.privateKey.export({ type: "sec1", format: "der" });
  // RFC 5915 §3: version, then the private half, 32 bytes.
  const other = root.privateKey.export({ type: "sec1", format: "der" }).subarray(7, 39);
  const forged = createPrivateKey({
    key: Buffer.concat([der.subarray(0, 7), other, der.subarray(39)]),
    format: "der",
    type: "sec1",
  });
  assert.ok(
    createPublicKey(forged).equals(createPublicKey(created.privateKey)),
    "OpenSSL believes what stands beside it",
  );
  assert.throws(() => createIssuingAuthority(path, forged), /does not belong/);
});

test("it ends when the first certificate of its path does; the root is not in its chain", async () => {
  const early = { ...root.authority.certificate.notAfter, millis: nowMillis + day };
  const shortRoot = { ...root.authority, certificate: { ...root.authority.certificate, notAfter: early } };
  const short = createIssuingAuthority([created.authority, shortRoot], created.privateKey);
  assert.equal(short.notAfterMillis, nowMillis + day);
  assert.equal(authority.notAfterMillis, created.authority.certificate.notAfter.millis);
  assert.equal(authority.chainPem.length, 1);
  assert.match(authority.chainPem[0]!, /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/);
  assert.deepEqual(createIssuingAuthority([root.authority], root.privateKey).chainPem, []);
});

const tested = () => ({ authority, path, ...base });

test("the self-test passes for what is right, a root that signs leaves itself among it", async () => {
  assert.deepEqual(await selfTest(tested()), { ok: true });
  const own = createIssuingAuthority([root.authority], root.privateKey);
  assert.deepEqual(await selfTest({ ...tested(), authority: own, path: [root.authority] }), { ok: true });
});

test("the self-test tells what is wrong", async () => {
  const sibling = await createIssuing({ ...base, keyKind: "P-256", lifetimeMillis: 90 * day, root });
  const otherRoot = await createRoot({ ...base, keyKind: "P-256", generation: 1, lifetimeMillis: 3650 * day });
  const faulty: IssuingAuthority = {
    ...authority,
    sign: () => {
      throw new Error("the key does not work");
    },
  };
  const silent: IssuingAuthority = {
    ...authority,
    sign: (linted) => {
      const der = Uint8Array.from(authority.sign(linted));
      der[der.length - 1]! ^= 1;
      return der;
    },
  };
  const table: readonly (readonly [string, Partial<ReturnType<typeof tested>>, string, RegExp])[] = [
    ["a key that does not work", { authority: faulty }, "sign", /the key does not work/],
    ["a key that signs wrongly", { authority: silent }, "verify", /signature of the leaf does not verify/],
    ["a path of another authority", { path: [sibling.authority, root.authority] }, "verify", /issuer-unknown/],
    ["a root of the same name", { path: [created.authority, otherRoot.authority] }, "verify", /issuer-unknown/],
    ["a path without its root", { path: [created.authority] }, "verify", /does not end with a root/],
    ["an end", { nowMillis: nowMillis + 91 * day }, "lint", /./],
    ["a beginning that is to come", { nowMillis: nowMillis - day }, "verify", /leaf-not-yet-valid/],
    ["no trust domain", { trustDomain: "Example.org" }, "lint", /./],
  ];
  for (const [what, but, step, words] of table) {
    const result = await selfTest({ ...tested(), ...but }).catch((fault: unknown) => assert.fail(`${what}: ${fault}`));
    assert.ok(!result.ok, what);
    assert.equal(result.step, step, `${what}: ${result.message}`);
    assert.match(result.message, words, what);
  }
});

test("a trust domain of 255 characters is named by its first 64", async () => {
  const trustDomain = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(11)}`;
  assert.equal(trustDomain.length, 255);
  const long = await createRoot({ ...base, trustDomain, keyKind: "P-256", generation: 3, lifetimeMillis: 3650 * day });
  assert.equal(long.authority.subject, `O=${trustDomain.slice(0, 64)}, CN=root 3`);
});
