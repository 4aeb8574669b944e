import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { hex, integer, oid, seq, set, tlv } from "#test/support/ca/der-writer";
import {
  ecSpki,
  extensionRequest,
  makeCsr,
  pemOf,
  rsaSpki,
  sanExtension,
  uriName,
  workloadKey,
} from "#test/support/ca/make-csr";

const policy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 10 });
const [p256, rsa] = [workloadKey("P-256"), workloadKey("RSA-2048")];

/** The code of the refusal; undefined when the request is proven. */
function codeOf(pem: string): string | undefined {
  const parsed = parseCsr(pem);
  const result = parsed.ok ? proveCsr(parsed.csr, policy) : parsed;
  return result.ok ? undefined : result.fault.code;
}

test("T6: weak keys are refused, each kind by its own code", () => {
  const weak = (modulus: bigint) => codeOf(pemOf(makeCsr(rsa, { spkiDer: rsaSpki(modulus, 65537) })));
  const square = (1n << 1023n) + (1n << 1022n) + 643n;
  assert.equal(weak((1n << 2047n) + 15n - (((1n << 2047n) + 15n) % 3n)), "key/weak");
  assert.equal(weak(square * square), "key/weak");
  assert.equal(weak((1n << 1023n) + 1n), "key/kind");
  assert.equal(codeOf(pemOf(makeCsr(p256, { spkiDer: ecSpki("P-256", hex("00")) }))), "key/kind");
});

test("T7: what is large, deep or slow to read is refused before it is", () => {
  const deep = (depth: number): Uint8Array => (depth === 0 ? seq() : seq(deep(depth - 1)));
  const attribute = seq(oid("1.2.3"), set(deep(300)));
  const uris = Array.from({ length: 500 }, (_, i) => uriName(`spiffe://td/${i}/${"x".repeat(20)}`));
  const exponent = (1n << 2047n) - 1n;
  for (const [pem, code] of [
    ["-----BEGIN ".repeat(1_000_000), "csr/too-large"],
    ["-----BEGIN ".repeat(1_400), "csr/pem"],
    [pemOf(tlv(0x30, new Uint8Array(9000))), "csr/too-large"],
    [pemOf(makeCsr(p256, { attributes: [attribute] })), "csr/der"],
    [pemOf(makeCsr(p256, { attributes: [extensionRequest(sanExtension(...uris))] })), "csr/too-large"],
    [pemOf(makeCsr(rsa, { spkiDer: rsaSpki((1n << 3071n) + 1n, exponent) })), "key/kind"],
    [pemOf(makeCsr(rsa, { spkiDer: rsaSpki((1n << 16383n) + 1n, 65537) })), "key/kind"],
  ] as const)
    assert.equal(codeOf(pem), code);
});

// T8, a key that ends the process natively, is in test/fuzz/ca/csr.test.ts: it needs a process that may end.

test("T1: a name in a request is kept to be compared, and is no identity", () => {
  const attributes = [extensionRequest(sanExtension(uriName("spiffe://cluster.local/ns/kube-system/sa/admin")))];
  const parsed = parseCsr(pemOf(makeCsr(p256, { attributes, subject: seq(), version: integer(0) })));
  assert.ok(parsed.ok);
  const proven = proveCsr(parsed.csr, policy);
  assert.ok(proven.ok);
  assert.deepEqual(Object.keys(proven.csr).sort(), ["der", "names", "publicKey"]);
});
