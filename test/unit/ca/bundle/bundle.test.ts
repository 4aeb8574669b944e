import assert from "node:assert/strict";
import { createHash, createPublicKey, type JsonWebKey, randomBytes, X509Certificate } from "node:crypto";
import { before, test } from "node:test";
import type { TrustBundle } from "#ca/authorities/contract";
import { createRoot } from "#ca/authorities/create-root";
import { buildBundle, bundleVersion } from "#ca/bundle/build-bundle";
import { parsePemBundle } from "#ca/bundle/parse-pem-bundle";
import { publicKeyJwk } from "#ca/bundle/public-key-jwk";
import { renderBundleDer } from "#ca/bundle/render-der";
import { renderBundleJwks, renderBundleMap } from "#ca/bundle/render-jwks";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { type Certificate, keyKinds } from "#ca/x509/contract";

let anchors: readonly Certificate[];
let bundle: TrustBundle;

before(async () => {
  const lifetimeMillis = 3650 * 24 * 3_600_000;
  const made = keyKinds.map((keyKind, i) =>
    createRoot({
      trustDomain: "example.org",
      keyKind,
      generation: i + 1,
      lifetimeMillis,
      nowMillis: Date.now(),
      random: randomBytes,
    }),
  );
  anchors = (await Promise.all(made)).map(({ authority }) => authority.certificate);
  bundle = buildBundle("example.org", 7, anchors);
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("anchors are sorted by their SHA-256, each once, whatever the order they come in", () => {
  const hashes = bundle.anchors.map(({ der }) => sha256(der));
  assert.deepEqual(hashes, anchors.map(({ der }) => sha256(der)).sort());
  const again = buildBundle("example.org", 7, [...anchors, ...[...anchors].reverse()]);
  assert.deepEqual(
    again.anchors.map(({ der }) => sha256(der)),
    hashes,
  );
});

test("the version names the content: trust domain and anchors, not the sequence", () => {
  const version = bundleVersion(bundle);
  assert.match(version, /^[0-9a-f]{64}$/);
  assert.equal(bundleVersion(buildBundle("example.org", 8, [...anchors].reverse())), version);
  assert.notEqual(bundleVersion(buildBundle("example.org", 7, anchors.slice(1))), version);
  assert.notEqual(bundleVersion(buildBundle("example.com", 7, anchors)), version);
  assert.notEqual(bundleVersion(buildBundle("example.org", 7, [])), version);
});

test("PEM and DER hold the same anchors, and are read back", () => {
  const read = parsePemBundle(renderBundlePem(bundle));
  assert.ok(read.ok);
  assert.deepEqual(
    read.value.map(({ der }) => sha256(der)),
    bundle.anchors.map(({ der }) => sha256(der)),
  );
  let rest = renderBundleDer(bundle);
  for (const { der } of bundle.anchors) {
    assert.deepEqual(rest.subarray(0, der.length), der);
    rest = rest.subarray(der.length);
  }
  assert.equal(rest.length, 0);
  assert.equal(renderBundlePem(buildBundle("example.org", 1, [])), "");
});

test("the document has one key for each anchor: use, key members, one certificate, no kid", () => {
  const document = JSON.parse(renderBundleJwks(bundle, 300)) as Record<string, unknown> & {
    keys: (JsonWebKey & { x5c: string[]; use: string })[];
  };
  assert.deepEqual(Object.keys(document).sort(), ["keys", "spiffe_refresh_hint", "spiffe_sequence"]);
  assert.equal(document["spiffe_sequence"], 7);
  assert.equal(document["spiffe_refresh_hint"], 300);
  assert.equal(document.keys.length, keyKinds.length);
  for (const [i, { use, x5c, ...jwk }] of document.keys.entries()) {
    assert.equal(use, "x509-svid");
    assert.equal(x5c.length, 1);
    assert.deepEqual(Object.keys(jwk).sort(), jwk.kty === "EC" ? ["crv", "kty", "x", "y"] : ["e", "kty", "n"]);
    const certificate = new X509Certificate(Buffer.from(x5c[0]!, "base64"));
    assert.equal(Buffer.from(x5c[0]!, "base64").toString("base64"), x5c[0]);
    assert.deepEqual(new Uint8Array(certificate.raw), new Uint8Array(bundle.anchors[i]!.der));
    assert.ok(createPublicKey({ key: jwk, format: "jwk" }).equals(certificate.publicKey), "members and certificate");
  }
});

test("key members are those that OpenSSL exports; keys of other shapes have none", () => {
  for (const { spkiDer } of anchors) {
    const key = createPublicKey({ key: Buffer.from(spkiDer), format: "der", type: "spki" });
    assert.deepEqual(publicKeyJwk(spkiDer), key.export({ format: "jwk" }));
    assert.equal(publicKeyJwk(spkiDer.subarray(1)), undefined);
  }
});

test("the map for Envoy has each trust domain once, without refresh hints", () => {
  const other = buildBundle("a.example", 3, anchors.slice(0, 1));
  const map = JSON.parse(renderBundleMap([bundle, other])) as {
    trust_domains: Record<string, { keys: unknown[]; spiffe_sequence: number; spiffe_refresh_hint?: number }>;
  };
  assert.deepEqual(Object.keys(map), ["trust_domains"]);
  assert.deepEqual(Object.keys(map.trust_domains), ["a.example", "example.org"]);
  assert.deepEqual(Object.keys(map.trust_domains["example.org"]!).sort(), ["keys", "spiffe_sequence"]);
  assert.equal(map.trust_domains["a.example"]!.keys.length, 1);
  assert.throws(() => renderBundleMap([bundle, bundle]), /two bundles/);
});

test("a bundle without anchors says so: everything of the trust domain is invalid", () => {
  const empty = buildBundle("example.org", 9, []);
  assert.deepEqual((JSON.parse(renderBundleJwks(empty, 60)) as { keys: unknown[] }).keys, []);
});

const broken: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["no PEM", "hello"],
  ["a private key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  ["no DER", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ["more than is read", "x".repeat(1024 * 1024 + 1)],
];

for (const [name, text] of broken)
  test(`no bundle: ${name}`, () => {
    assert.equal(parsePemBundle(text).ok, false);
  });

test("a bundle with one bad certificate is none, and says which", () => {
  const read = parsePemBundle(`${renderBundlePem(bundle)}${broken[3]![1]}`);
  assert.ok(!read.ok);
  assert.match(read.fault.message, /^certificate 6: /);
});
