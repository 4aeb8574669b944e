import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSignatureVerifier, type SignatureKey, type SignatureScheme } from "#platform/signature-verifier";
import { type Digest, digests, makeTestKeys, signWith, type TestKey } from "#test/support/tokens/test-keys";

const keys = makeTestKeys();
const signed = Buffer.from("what was signed");

const asKey = ({ jwk: { kty, ...jwk } }: TestKey) => ({ kty, jwk }) as unknown as SignatureKey;

/** Every scheme, with a key of its own and one of each other type. */
const rows: readonly { readonly kind: SignatureScheme["kind"]; readonly own: TestKey; readonly other: TestKey }[] = [
  { kind: "rsa-pkcs1", own: keys.rsa, other: keys.otherRsa },
  { kind: "rsa-pss", own: keys.rsa, other: keys.otherRsa },
  { kind: "ecdsa", own: keys.p384, other: keys.otherP384 },
  { kind: "hmac", own: keys.oct, other: keys.otherOct },
  { kind: "ed25519", own: keys.ed25519, other: keys.otherEd25519 },
];

function schemesOf(kind: SignatureScheme["kind"]): readonly (readonly [SignatureScheme, Digest])[] {
  if (kind === "ed25519") return [[{ kind }, "sha512"]];
  return digests.map((digest) => [{ kind, digest }, digest] as const);
}

describe("the verifier of signatures", () => {
  const { verify } = createSignatureVerifier();

  it("takes a signature by its own key, scheme and digest, and no other", async () => {
    for (const { kind, own, other } of rows) {
      for (const [scheme, digest] of schemesOf(kind)) {
        const signature = signWith(own, signed, { digest, pss: kind === "rsa-pss" });
        for (const against of rows) {
          for (const [asked] of schemesOf(against.kind)) {
            const same = against.kind === kind && JSON.stringify(asked) === JSON.stringify(scheme);
            assert.equal(await verify(asKey(own), asked, signed, signature), same, JSON.stringify([scheme, asked]));
            assert.equal(await verify(asKey(other), asked, signed, signature), false);
          }
        }
        assert.equal(await verify(asKey(own), scheme, Buffer.from("something else"), signature), false);
      }
    }
  });

  it("answers no to signatures of any length and to keys that are none", async () => {
    for (const { kind, own } of rows) {
      for (const [scheme, digest] of schemesOf(kind)) {
        const signature = signWith(own, signed, { digest, pss: kind === "rsa-pss" });
        for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 255, 256, 257, 4096]) {
          if (length === signature.length) continue;
          const resized = Buffer.concat([signature, Buffer.alloc(4096)]).subarray(0, length);
          assert.equal(await verify(asKey(own), scheme, signed, resized), false, `${kind} ${length}`);
        }
        for (const jwk of [{}, { n: "AA", e: "AA" }, { crv: "P-256", x: "AA", y: "AA" }, { crv: "none" }, { x: "%" }]) {
          const { kty } = asKey(own);
          assert.equal(await verify({ kty, jwk }, scheme, signed, signature), false, JSON.stringify(jwk));
        }
      }
    }
  });

  it("does its work beside the event loop", async () => {
    let turns = 0;
    let done = false;
    const turn = () => {
      turns++;
      if (!done) setImmediate(turn);
    };
    turn();
    const scheme = { kind: "ecdsa", digest: "sha256" } as const;
    for (let i = 0; i < 100; i++)
      assert.equal(await verify(asKey(keys.p384), scheme, signed, Buffer.alloc(96, 1)), false);
    done = true;
    assert.ok(turns >= 100, `${turns} turns`);
  });

  it("takes DER for no EC signature", async () => {
    const der = signWith(keys.p256, signed, { der: true });
    assert.equal(await verify(asKey(keys.p256), { kind: "ecdsa", digest: "sha256" }, signed, der), false);
  });

  it("takes no salt that is longer or shorter than the digest", async () => {
    for (const saltLength of [0, 20, 31, 33, 48, 222]) {
      const signature = signWith(keys.rsa, signed, { pss: true, saltLength });
      assert.equal(await verify(asKey(keys.rsa), { kind: "rsa-pss", digest: "sha256" }, signed, signature), false);
    }
  });

  it("takes no digest that the modulus has no room for", async () => {
    const scheme = { kind: "rsa-pss", digest: "sha512" } as const;
    assert.equal(await verify(asKey(keys.shortestRsa), scheme, signed, Buffer.alloc(64, 1)), false);
  });
});
