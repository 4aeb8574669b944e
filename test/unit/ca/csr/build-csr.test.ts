import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { buildCsr } from "#ca/csr/build-csr";
import { writePem } from "#ca/x509/pem";

const keys: readonly (readonly [kind: string, key: () => KeyObject, algorithm: RegExp])[] = [
  ["P-256", () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, /ecdsa-with-SHA256/],
  ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey, /ecdsa-with-SHA384/],
  ["RSA-2048", () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, /sha256WithRSAEncryption/],
];

function openssl(der: Uint8Array): string {
  const input = writePem("CERTIFICATE REQUEST", der);
  return execFileSync("openssl", ["req", "-verify", "-noout", "-text"], {
    input,
    stdio: ["pipe", "pipe", "pipe"],
  }).toString();
}

for (const [kind, key, algorithm] of keys) {
  test(`a request of a ${kind} key is proven and read by OpenSSL`, () => {
    const text = openssl(buildCsr(key(), "spiffe://t.example/ns/a/sa/b"));
    assert.match(text, algorithm);
    assert.match(text, /Subject: *\n/);
    assert.match(text, /Subject Alternative Name: critical\s+URI:spiffe:\/\/t\.example\/ns\/a\/sa\/b\n/);
  });
}

test("a request for no name has none", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.doesNotMatch(openssl(buildCsr(privateKey, undefined)), /Alternative/);
});

test("another kind of key, and a URI beyond ASCII, are no requests", () => {
  assert.throws(() => buildCsr(generateKeyPairSync("ed25519").privateKey, undefined), /P-256, P-384 and RSA/);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.throws(() => buildCsr(privateKey, "spiffe://t.example/ü"), /ASCII/);
});
