import { createPublicKey } from "node:crypto";
import { algorithms } from "#identity/token/token";
import type { CorpusToken } from "./corpus.ts";
import { digests, hmac, keySetOf, privateJwk, signWith, type TestKeys } from "./test-keys.ts";
import { headerOf, keysFor, optionsOf, tokenOf, unsigned, withSignature } from "./token-text.ts";

/** Tokens whose header says something else than the key: other algorithms, keys of the header's own, public keys taken for secrets. */
export function* algorithmCorpus(keys: TestKeys): Generator<CorpusToken> {
  yield* everyAlgorithmByEveryKey(keys);
  yield* publicKeysAsSecrets(keys);
  yield* unknownAlgorithms(keys);
  yield* keysInTheHeader(keys);
  yield* criticalHeaders(keys);
  yield* keyChoice(keys);
}

function* everyAlgorithmByEveryKey(keys: TestKeys): Generator<CorpusToken> {
  const signers = [keys.rsa, keys.shortRsa, keys.p256, keys.p384, keys.p521, keys.ed25519, keys.oct, keys.shortOct];
  for (const alg of algorithms) {
    for (const key of signers) {
      const signed = unsigned(headerOf(alg));
      const jwks = keySetOf([key]);
      const ways = key.jwk.kty === "OKP" ? ([undefined] as const) : digests;
      for (const digest of ways) {
        for (const pss of key.jwk.kty === "RSA" ? [false, true] : [false]) {
          if (pss && key === keys.shortRsa && digest === "sha512") continue;
          const signature = signWith(key, signed, { ...(digest && { digest }), pss });
          const how = [digest, pss ? "pss" : ""].filter(Boolean).join(" ");
          yield { name: `${alg} by ${key.name} ${how}`, token: withSignature(signed, signature), jwks };
        }
      }
    }
  }
}

/** Everything public about a key that somebody might take for the secret of an HMAC. */
function* publicKeysAsSecrets(keys: TestKeys): Generator<CorpusToken> {
  for (const key of [keys.rsa, keys.p256, keys.p521, keys.ed25519]) {
    const object = createPublicKey({ key: key.jwk, format: "jwk" });
    const pem = object.export({ format: "pem", type: "spki" }).toString();
    const coordinates = [key.jwk.x, key.jwk.y].map((text) => Buffer.from(text ?? "", "base64url"));
    const secrets: Record<string, Uint8Array> = {
      "its PEM": Buffer.from(pem),
      "its PEM without the last line end": Buffer.from(pem.trimEnd()),
      "its DER": object.export({ format: "der", type: "spki" }),
      "its JWK": Buffer.from(JSON.stringify(key.jwk)),
      "its set": Buffer.from(keySetOf([key])),
      "its modulus or x": Buffer.from(key.jwk.n ?? key.jwk.x ?? "", "base64url"),
      "its modulus or x in base64url": Buffer.from(key.jwk.n ?? key.jwk.x ?? ""),
      "its coordinates": Buffer.concat(coordinates),
      nothing: Buffer.alloc(0),
    };
    for (const alg of ["HS256", "HS384", "HS512"] as const) {
      for (const [name, secret] of Object.entries(secrets)) {
        const signed = unsigned(headerOf(alg));
        const token = withSignature(signed, hmac(secret, signed, optionsOf(alg).digest));
        yield { name: `${alg} by ${key.name} with ${name} for a secret`, token, jwks: keySetOf([key]) };
      }
    }
  }
}

function* unknownAlgorithms(keys: TestKeys): Generator<CorpusToken> {
  const names = [
    ...["none", "None", "NONE", "nOnE", "", " RS256", "RS256 ", "rs256", "Rs256", "RS256\u0000", "RS1", "RS", "HS"],
    ...["HS1", "HS256K", "ES256K", "ES255", "Ed25519", "Ed448", "eddsa", "EDDSA", "ECDSA", "A128KW", "dir", "toString"],
    ...["__proto__", "RS256,none"],
  ];
  for (const [what, key] of [["an RSA key", keys.rsa] as const, ["a secret", keys.oct] as const]) {
    for (const alg of [...names, null, 1, true, ["RS256"], { alg: "RS256" }, undefined]) {
      const signed = unsigned(headerOf(alg));
      const jwks = keySetOf([key]);
      const label = `alg ${JSON.stringify(alg) ?? "missing"}, ${what}`;
      yield { name: `${label}: signed`, token: withSignature(signed, signWith(key, signed)), jwks };
      yield { name: `${label}: unsigned`, token: `${signed}.`, jwks };
      yield { name: `${label}: a space for a signature`, token: `${signed}. `, jwks };
    }
  }
}

/** Keys that the attacker brings along (RFC 7515 §4.1.2 to §4.1.8): no reader may look at them. */
function* keysInTheHeader(keys: TestKeys): Generator<CorpusToken> {
  for (const alg of ["RS256", "ES256", "EdDSA", "HS256"] as const) {
    const [key, other] = keysFor(keys, alg);
    for (const [name, more] of Object.entries({
      jwk: { jwk: other.jwk },
      "jwk and kid": { jwk: other.jwk, kid: "own" },
      jku: { jku: "http://127.0.0.1:1/keys" },
      x5u: { x5u: "http://127.0.0.1:1/certificate" },
      x5c: { x5c: ["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"] },
      "x5t and x5t#S256": { x5t: "AAAA", "x5t#S256": "AAAA" },
      "a set": { jwks: { keys: [other.jwk] }, keys: [other.jwk] },
    })) {
      yield {
        name: `${alg} with ${name} in the header, by that key`,
        token: tokenOf(other, alg, more),
        jwks: keySetOf([key]),
      };
      yield {
        name: `${alg} with ${name} in the header, by the right key`,
        token: tokenOf(key, alg, more),
        jwks: keySetOf([key]),
      };
    }
  }
}

function* criticalHeaders(keys: TestKeys): Generator<CorpusToken> {
  for (const alg of ["RS256", "ES256", "HS256"] as const) {
    const [key] = keysFor(keys, alg);
    const jwks = keySetOf([key]);
    for (const more of [
      { crit: ["exp"], exp: 4_102_444_800 },
      { crit: ["unknown"], unknown: 1 },
      { crit: ["b64"], b64: true },
      { crit: ["b64"], b64: false },
      { crit: ["missing"] },
      { crit: [] },
      { crit: null },
      { crit: "exp" },
      { crit: ["alg"] },
      { b64: false },
      { b64: true },
      { typ: "JWT", cty: "JWT", zip: "DEF", enc: "A128GCM" },
      { typ: 1, cty: null },
    ]) {
      yield { name: `${alg} with ${JSON.stringify(more)}`, token: tokenOf(key, alg, more), jwks };
    }
    const unencoded = headerOf(alg, { crit: ["b64"], b64: false });
    const text = '{"sub":"alice","exp":4102444800}';
    const segments = unsigned(unencoded, text);
    const overText = signWith(key, `${segments.split(".")[0]}.${text}`, optionsOf(alg));
    yield { name: `${alg} with b64 false, the payload's text signed`, token: withSignature(segments, overText), jwks };
  }
}

function* keyChoice(keys: TestKeys): Generator<CorpusToken> {
  const { rsa, otherRsa, p256, ed25519, oct } = keys;
  const set = (...members: readonly object[]) => JSON.stringify({ keys: members });
  const named = (name: string, token: string, jwks: string) => ({ name: `choice: ${name}`, token, jwks });
  for (const alg of ["RS256", "ES256", "HS256", "EdDSA"] as const) {
    const [key, other] = keysFor(keys, alg);
    const own = (jwk: object, name: string, header: object = {}) =>
      named(`${alg}, ${name}`, tokenOf(key, alg, header), set(jwk));
    yield own({ ...key.jwk, kid: "a" }, "kid in the set alone");
    yield own(key.jwk, "kid in the token alone", { kid: "a" });
    yield own({ ...key.jwk, kid: "a" }, "equal kids", { kid: "a" });
    yield own({ ...key.jwk, kid: "a" }, "kids that differ", { kid: "b" });
    yield own({ ...key.jwk, kid: "a" }, "kids that differ by case", { kid: "A" });
    yield own({ ...key.jwk, kid: "a" }, "kids that differ by a space", { kid: "a " });
    yield own({ ...key.jwk, kid: "a" }, "an empty kid in the token", { kid: "" });
    yield own({ ...key.jwk, kid: "" }, "an empty kid in the set", { kid: "a" });
    yield own({ ...key.jwk, kid: 1 }, "a number for a kid in the set", { kid: "1" });
    yield own({ ...key.jwk, kid: null }, "null for a kid in the set", { kid: "1" });
    yield own({ ...key.jwk, kid: "é€😀" }, "kids beyond ASCII", { kid: "é€😀" });
    yield own({ ...key.jwk, kid: "__proto__" }, "a kid of __proto__", { kid: "__proto__" });
    yield own({ ...key.jwk, kid: "a" }, "a kid of ../a", { kid: "../a" });
    yield own({ ...key.jwk, alg }, "the alg in the set");
    yield own({ ...key.jwk, alg: "" }, "an empty alg in the set");
    yield own({ ...key.jwk, alg: 1 }, "a number for an alg in the set");
    yield own({ ...key.jwk, use: "sig" }, "use sig");
    yield own({ ...key.jwk, use: "enc" }, "use enc");
    yield own({ ...key.jwk, key_ops: ["verify"] }, "key_ops verify");
    yield own({ ...key.jwk, key_ops: ["encrypt"] }, "key_ops encrypt");
    yield own({ ...key.jwk, x5c: ["x"], x5t: "y" }, "certificates in the set");
    yield named(`${alg}, the second key`, tokenOf(key, alg), set(other.jwk, key.jwk));
    yield named(
      `${alg}, the second key of the same kid`,
      tokenOf(key, alg, { kid: "a" }),
      set({ ...other.jwk, kid: "a" }, { ...key.jwk, kid: "a" }),
    );
    yield named(
      `${alg}, the other kid's key`,
      tokenOf(other, alg, { kid: "a" }),
      set({ ...key.jwk, kid: "a" }, { ...other.jwk, kid: "b" }),
    );
    yield named(
      `${alg}, behind keys of other types`,
      tokenOf(key, alg),
      set(...[rsa, p256, oct].filter((one) => one !== key).map(({ jwk }) => jwk), key.jwk),
    );
    yield named(`${alg}, behind an Ed25519 key`, tokenOf(key, alg), set(keys.otherEd25519.jwk, key.jwk));
    yield named(`${alg}, before an Ed25519 key`, tokenOf(key, alg), set(key.jwk, ed25519.jwk));
    yield named(
      `${alg}, behind an Ed25519 key of another alg`,
      tokenOf(key, alg),
      set({ ...keys.otherEd25519.jwk, alg: "EdDSA", kid: "e" }, key.jwk),
    );
  }
  for (const wrong of ["RS384", "PS256", "RS256 ", "rs256", "RSA", "PS999", "RS999"]) {
    yield named(`RS256, alg ${wrong} in the set`, tokenOf(rsa, "RS256"), set({ ...rsa.jwk, alg: wrong }));
  }
  for (const wrong of ["ES384", "ES256K", "RS256", "ES"]) {
    yield named(`ES256, alg ${wrong} in the set`, tokenOf(p256, "ES256"), set({ ...p256.jwk, alg: wrong }));
  }
  yield named("a private RSA key in the set", tokenOf(rsa, "RS256"), set(privateJwk(rsa)));
  yield named("a private EC key in the set", tokenOf(p256, "ES256"), set(privateJwk(p256)));
  yield named("a private Ed25519 key in the set", tokenOf(ed25519, "EdDSA"), set(privateJwk(ed25519)));
  yield named(
    "no key that fits",
    tokenOf(rsa, "RS256"),
    set({ ...otherRsa.jwk, alg: "RS384" }, { ...p256.jwk, alg: "ES256" }),
  );
  yield named("EC and RSA members in one key", tokenOf(rsa, "RS256"), set({ ...p256.jwk, ...rsa.jwk, kty: "EC" }));
  yield named(
    "oct with RSA members",
    withSignature(unsigned(headerOf("RS256")), signWith(rsa, unsigned(headerOf("RS256")))),
    set({ ...rsa.jwk, ...oct.jwk }),
  );
}
