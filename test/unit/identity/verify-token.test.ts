import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KeySet, VerificationKey } from "#identity/key-set/key-set";
import { readKeySet } from "#identity/key-set/read-key-set";
import { parseToken } from "#identity/token/parse";
import { algorithms, type ParsedToken, type TokenFault } from "#identity/token/token";
import type { SignatureScheme, SignatureVerifier } from "#identity/token/verification";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { digests, keySetOf, makeTestKeys, signWith } from "#test/support/tokens/test-keys";
import { headerOf, keysFor, tokenOf, unsigned, withSignature } from "#test/support/tokens/token-text";

const keys = makeTestKeys();
const real: SignatureVerifier = createSignatureVerifier();

function parsed(text: string): ParsedToken {
  const parse = parseToken(text);
  assert.ok(parse.ok);
  return parse.token;
}

function keySet(text: string): KeySet {
  const read = readKeySet(text);
  assert.ok(read.ok);
  return { version: 1, keys: read.keys };
}

/** Notes what it is asked, and leaves the answer to the real one. */
function listening() {
  const asked: { kty: string; scheme: SignatureScheme }[] = [];
  const verify = (key: VerificationKey, scheme: SignatureScheme, signed: Uint8Array, signature: Uint8Array) => {
    asked.push({ kty: key.kty, scheme });
    return real.verify(key, scheme, signed, signature);
  };
  return { asked, verify: createTokenVerifier({ verify }) };
}

describe("the verifier of tokens", () => {
  it("leaves to jose what jose does as Envoy does", async () => {
    for (const algorithm of algorithms) {
      const [key, other] = keysFor(keys, algorithm);
      const { asked, verify } = listening();
      assert.deepEqual(await verify(parsed(tokenOf(key, algorithm)), keySet(keySetOf([key])), "envoy"), { ok: true });
      const refused = await verify(parsed(tokenOf(other, algorithm)), keySet(keySetOf([key])), "envoy");
      assert.deepEqual(refused, { ok: false, fault: "signature" });
      assert.deepEqual(asked, [], algorithm);
    }
  });

  it("asks for the scheme that the key's type decides on", async () => {
    const schemes = (algorithm: string, kind: "ecdsa" | "hmac", family: string): SignatureScheme => ({
      kind,
      digest: algorithm === `${family}384` ? "sha384" : algorithm === `${family}512` ? "sha512" : "sha256",
    });
    for (const algorithm of algorithms) {
      const [own] = keysFor(keys, algorithm);
      for (const [key, kind, family] of [
        [keys.p256, "ecdsa", "ES"],
        [keys.oct, "hmac", "HS"],
      ] as const) {
        if (key === own) continue;
        const { asked, verify } = listening();
        const scheme = schemes(algorithm, kind, family);
        const signed = unsigned(headerOf(algorithm));
        const digest = digests.find((one) => scheme.kind !== "ed25519" && one === scheme.digest)!;
        const token = withSignature(signed, signWith(key, signed, { digest }));
        assert.deepEqual(await verify(parsed(token), keySet(keySetOf([key])), "envoy"), { ok: true });
        assert.deepEqual(asked, [{ kty: key.jwk.kty, scheme }], algorithm);
        const strict = await verify(parsed(token), keySet(keySetOf([key])), "strict");
        assert.deepEqual(strict, { ok: false, fault: "signature" });
      }
    }
  });

  it("never makes a secret of a public key", async () => {
    for (const algorithm of algorithms) {
      for (const key of [keys.rsa, keys.p256, keys.ed25519]) {
        const { asked, verify } = listening();
        const token = withSignature(unsigned(headerOf(algorithm)), Buffer.alloc(64));
        await verify(parsed(token), keySet(keySetOf([key])), "envoy");
        assert.ok(!asked.some(({ scheme }) => scheme.kind === "hmac"));
      }
    }
  });

  it("asks nobody when no key is meant", async () => {
    const { asked, verify } = listening();
    const set = keySet(
      JSON.stringify({
        keys: [
          { ...keys.rsa.jwk, kid: "a" },
          { ...keys.rsa.jwk, alg: "RS512" },
        ],
      }),
    );
    const verification = await verify(parsed(tokenOf(keys.rsa, "RS256", { kid: "b" })), set, "envoy");
    assert.deepEqual(verification, { ok: false, fault: "keyMissing" });
    assert.deepEqual(asked, []);
  });

  it("asks the injected verifier where a header is no JSON to jose, and believes it", async () => {
    const signed = unsigned("{'alg':'ES256'}");
    const token = parsed(withSignature(signed, signWith(keys.p256, signed)));
    for (const answer of [true, false]) {
      for (const promised of [answer, Promise.resolve(answer)]) {
        const verify = createTokenVerifier({ verify: () => promised });
        const expected = answer ? { ok: true } : { ok: false, fault: "signature" };
        assert.deepEqual(await verify(token, keySet(keySetOf([keys.p256])), "envoy"), expected);
      }
    }
  });

  it("finds the same key again and again, and tells keys of one set from each other", async () => {
    const verify = createTokenVerifier(real);
    const set = keySet(keySetOf([keys.otherP256, keys.p256, keys.rsa]));
    for (let i = 0; i < 3; i++) {
      for (const token of [tokenOf(keys.p256, "ES256"), tokenOf(keys.rsa, "RS256"), tokenOf(keys.rsa, "PS512")]) {
        assert.deepEqual(await verify(parsed(token), set, "strict"), { ok: true });
      }
      const stranger = await verify(parsed(tokenOf(keys.otherRsa, "RS256")), set, "strict");
      assert.deepEqual(stranger, { ok: false, fault: "signature" });
    }
  });

  it("is stricter when told", async () => {
    const plain = [keys.p256] as const;
    const good = tokenOf(keys.p256, "ES256");
    const short = unsigned(headerOf("HS256"));
    const apart = unsigned(headerOf("ES256")).replace("e", "e ");
    const spaced = withSignature(apart, signWith(keys.p256, apart));
    const cases: readonly (readonly [string, string, string, TokenFault | ""])[] = [
      ["a good token", good, keySetOf(plain), ""],
      ["crit", tokenOf(keys.p256, "ES256", { crit: ["exp"] }), keySetOf(plain), "signature"],
      ["no exp", tokenOf(keys.p256, "ES256", {}, '{"sub":"a"}'), keySetOf(plain), "expired"],
      ["an exp of 0", tokenOf(keys.p256, "ES256", {}, '{"exp":0}'), keySetOf(plain), "expired"],
      ["a dot more", `${good}.`, keySetOf(plain), "form"],
      ["a dot in front", `.${good}`, keySetOf(plain), "form"],
      ["white space in the header", spaced, keySetOf(plain), "headerBase64"],
      ["white space in the signature", `${good} `, keySetOf(plain), "signatureBase64"],
      ["a short RSA key", tokenOf(keys.shortRsa, "RS256"), keySetOf([keys.shortRsa]), "signature"],
      ["a long RSA key", tokenOf(keys.oddRsa, "RS256"), keySetOf([keys.oddRsa]), ""],
      ["a short secret", withSignature(short, signWith(keys.shortOct, short)), keySetOf([keys.shortOct]), "signature"],
      ["a key for encryption", good, keySetOf(plain, { use: "enc" }), "signature"],
      ["a key for signatures", good, keySetOf(plain, { use: "sig" }), ""],
      ["another kid", tokenOf(keys.p256, "ES256", { kid: "a" }), keySetOf(plain, { kid: "b" }), "keyMissing"],
    ];
    const verify = createTokenVerifier(real);
    for (const [name, token, set, fault] of cases) {
      const strict = await verify(parsed(token), keySet(set), "strict");
      assert.deepEqual(strict, fault === "" ? { ok: true } : { ok: false, fault }, name);
      if (fault === "keyMissing") continue;
      assert.deepEqual(await verify(parsed(token), keySet(set), "envoy"), { ok: true }, name);
    }
  });
});
