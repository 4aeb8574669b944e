import { randomBytes } from "node:crypto";
import type { CorpusToken } from "./corpus.ts";
import { certificate, der, extensions, pemOf, rsaAlgorithm, rsaPublicKey, versionThree } from "./test-certificate.ts";
import { keySetOf, type TestKeys } from "./test-keys.ts";
import { tokenOf } from "./token-text.ts";

/** Good tokens under odd key sets: which keys are taken out of a set shows in whether the token verifies. */
export function* keySetCorpus(keys: TestKeys): Generator<CorpusToken> {
  const tokens = {
    RSA: tokenOf(keys.rsa, "RS256"),
    EC: tokenOf(keys.p256, "ES256"),
    P384: tokenOf(keys.p384, "ES384"),
    OKP: tokenOf(keys.ed25519, "EdDSA"),
    oct: tokenOf(keys.oct, "HS256"),
  };
  const set = (...members: readonly unknown[]) => JSON.stringify({ keys: members });
  const named = (name: string, token: string, jwks: string) => ({ name: `set: ${name}`, token, jwks });
  const { n, e } = keys.rsa.jwk as { n: string; e: string };
  const { x, y } = keys.p256.jwk as { x: string; y: string };
  const base = (text: string, change: (bytes: Buffer) => Uint8Array) =>
    Buffer.from(change(Buffer.from(text, "base64url"))).toString("base64url");
  const zeroFirst = (bytes: Buffer) => Buffer.concat([Buffer.alloc(3), bytes]);

  const rsa: Readonly<Record<string, object>> = {
    good: {},
    "n with padding": { n: n + "=".repeat((4 - (n.length % 4)) % 4) },
    "n with padding of dots": { n: n + ".".repeat((4 - (n.length % 4)) % 4) },
    "n with white space": { n: `${n.slice(0, 9)} \n${n.slice(9)}` },
    "n with wrong padding": { n: `${n}=====` },
    "n with zeros in front": { n: base(n, zeroFirst) },
    "n with a plus": { n: `+${n.slice(1)}` },
    "n with a slash": { n: `${n.slice(0, -1)}/` },
    "n missing": { n: undefined },
    "n a number": { n: 5 },
    "n null": { n: null },
    "n empty": { n: "" },
    "n even": { n: base(n, (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! & 0xfe])])) },
    "e missing": { e: undefined },
    "e empty": { e: "" },
    "e of 1": { e: "AQ" },
    "e of 2": { e: "Ag" },
    "e of 5": { e: "BQ" },
    "e with zeros in front": { e: base(e, zeroFirst) },
    "e very large": { e: n },
    "kty in lower case": { kty: "rsa" },
    "kty missing": { kty: undefined },
    "kty a number": { kty: 1 },
    "kty __proto__": { kty: "__proto__" },
    "kty toString": { kty: "toString" },
  };
  for (const [name, change] of Object.entries(rsa)) {
    yield named(`RSA, ${name}`, tokens.RSA, set({ ...keys.rsa.jwk, ...change }));
    yield named(`RSA, ${name}, and a good one`, tokens.RSA, set({ ...keys.rsa.jwk, ...change }, keys.rsa.jwk));
  }
  yield named("RSA of 5, alone", tokenOf(keys.rsaOfFive, "RS256"), keySetOf([keys.rsaOfFive]));
  for (const bits of [511, 512, 513, 1023, 8192, 8193, 16_384, 16_385]) {
    const modulus = randomBytes(Math.ceil(bits / 8));
    const top = (bits - 1) % 8;
    modulus[0] = (modulus[0]! & ((1 << top) - 1)) | (1 << top);
    modulus[modulus.length - 1]! |= 1;
    yield named(`RSA modulus of ${bits} bits`, tokens.RSA, set({ kty: "RSA", n: modulus.toString("base64url"), e }));
  }

  const ec: Readonly<Record<string, object>> = {
    good: {},
    "without crv": { crv: undefined },
    "with alg, without crv": { crv: undefined, alg: "ES256" },
    "with alg": { alg: "ES256" },
    "with another alg": { alg: "ES384" },
    "crv in lower case": { crv: "p-256" },
    "crv empty": { crv: "" },
    "crv a number": { crv: 256 },
    "crv null": { crv: null },
    "crv secp256k1": { crv: "secp256k1" },
    "crv P-384": { crv: "P-384" },
    "x with zeros in front": { x: base(x, zeroFirst) },
    "x missing": { x: undefined },
    "y missing": { y: undefined },
    "y a list": { y: [y] },
    "x and y exchanged": { x: y, y: x },
    "x a bit off": { x: base(x, (bytes) => Buffer.concat([Buffer.from([bytes[0]! ^ 1]), bytes.subarray(1)])) },
    "the point at infinity": { x: "AA", y: "AA" },
    "x and the modulus": {
      x: base(x, (bytes) => {
        const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
        return Buffer.from((BigInt(`0x${bytes.toString("hex")}`) + p).toString(16).padStart(66, "0"), "hex");
      }),
    },
    "x very long": { x: base(x, (bytes) => Buffer.concat([Buffer.alloc(5000), bytes])) },
  };
  for (const [name, change] of Object.entries(ec)) {
    yield named(`EC, ${name}`, tokens.EC, set({ ...keys.p256.jwk, ...change }));
    yield named(`EC, ${name}, and a good one`, tokens.EC, set({ ...keys.p256.jwk, ...change }, keys.p256.jwk));
  }
  yield named("P-384 with alg ES384 and no crv", tokens.P384, set({ ...keys.p384.jwk, crv: undefined, alg: "ES384" }));
  yield named("P-384 without alg and crv", tokens.P384, set({ ...keys.p384.jwk, crv: undefined }));

  const okp: Readonly<Record<string, object>> = {
    good: {},
    "crv missing": { crv: undefined },
    "crv X25519": { crv: "X25519" },
    "crv Ed448": { crv: "Ed448" },
    "crv ed25519": { crv: "ed25519" },
    "x of 31 bytes": { x: base(keys.ed25519.jwk.x!, (bytes) => bytes.subarray(1)) },
    "x of 33 bytes": { x: base(keys.ed25519.jwk.x!, (bytes) => Buffer.concat([Buffer.alloc(1), bytes])) },
    "alg EdDSA": { alg: "EdDSA" },
    "alg Ed25519": { alg: "Ed25519" },
    "alg RS256": { alg: "RS256" },
  };
  for (const [name, change] of Object.entries(okp)) {
    yield named(`OKP, ${name}`, tokens.OKP, set({ ...keys.ed25519.jwk, ...change }));
  }

  const oct: Readonly<Record<string, object>> = {
    good: {},
    "k empty": { k: "" },
    "k white space": { k: "  " },
    "k missing": { k: undefined },
    "k with padding": { k: `${keys.oct.jwk.k}==` },
    "k with a slash": { k: `/${keys.oct.jwk.k}` },
    "alg HS256": { alg: "HS256" },
    "alg HS1": { alg: "HS1" },
    "alg RS256": { alg: "RS256" },
  };
  for (const [name, change] of Object.entries(oct)) {
    yield named(`oct, ${name}`, tokens.oct, set({ ...keys.oct.jwk, ...change }));
  }

  const key = JSON.stringify(keys.p256.jwk);
  const documents: Readonly<Record<string, string>> = {
    empty: "",
    "no JSON": "keys",
    "an empty object": "{}",
    null: "null",
    "a list": `[${key}]`,
    "a key alone": key,
    "no keys": '{"keys":[]}',
    "keys null": '{"keys":null}',
    "keys an object": `{"keys":${key}}`,
    "keys text": '{"keys":"x"}',
    "keys of other kinds": '{"keys":[null,1,"x",[],true,{}]}',
    "a key among other kinds": `{"keys":[null,1,"x",[${key}],true,{},${key}]}`,
    "Keys with a capital": `{"Keys":[${key}]}`,
    "other members": `{"a":{"b":[1,null]},"keys":[${key}],"z":1}`,
    "keys twice": `{"keys":[],"keys":[${key}]}`,
    "a member twice": `{"keys":[${key.slice(0, -1)},"kty":"EC"}]}`,
    "a member twice in a key that is skipped": `{"keys":[{"a":1,"a":2},${key}]}`,
    "text behind": `{"keys":[${key}]} x`,
    "white space around": `\r\n\t {"keys":[${key}]}\n`,
    "a mark of byte order": `\ufeff{"keys":[${key}]}`,
    "a comma at the end": `{"keys":[${key},],}`,
    "single quotes": `{'keys':[${key.replaceAll('"', "'")}]}`,
    "names without quotes": `{keys:[${key}]}`,
    "a comment": `{"keys":[${key}]/* */}`,
    "a number too large": `{"a":1e999,"keys":[${key}]}`,
    "half a surrogate pair": `{"a":"\\ud800","keys":[${key}]}`,
    "a line end in text": `{"a":"\n","keys":[${key}]}`,
    "98 levels above a key": `{"a":${"[".repeat(99)}${"]".repeat(99)},"keys":[${key}]}`,
    "101 levels": `{"a":${"[".repeat(100)}${"]".repeat(100)},"keys":[${key}]}`,
    "text beyond ASCII": `{"a":"é€😀","keys":[${key}]}`,
  };
  for (const [name, text] of Object.entries(documents)) yield named(`document, ${name}`, tokens.EC, text);
  yield* certificates(keys, tokens.RSA, tokens.EC);
}

function* certificates(keys: TestKeys, token: string, ecToken: string): Generator<CorpusToken> {
  const n = Buffer.from(keys.rsa.jwk.n!, "base64url");
  const e = Buffer.from(keys.rsa.jwk.e!, "base64url");
  const key = rsaPublicKey(n, e);
  const good = certificate({ key });
  const pem = pemOf(good);
  const named = (name: string, map: unknown, of = token) => ({
    name: `certificates: ${name}`,
    token: of,
    jwks: JSON.stringify(map),
  });
  const one = (name: string, bytes: Uint8Array) => named(name, { a: pemOf(bytes) });
  const spki = (bytes: Uint8Array) => certificate({ key: bytes });
  yield named("one", { a: pem });
  yield named("one, in one line", {
    a: `-----BEGIN CERTIFICATE-----\n${good.toString("base64")}\n-----END CERTIFICATE-----\n`,
  });
  yield named("one, in lines ended by CR LF", { a: pemOf(good, "\r\n") });
  yield named("one without the last line end", { a: pem.trimEnd() });
  yield named("one with a space in front", { a: ` ${pem}` });
  yield named("one twice in a member", { a: pem + pem });
  yield named("a bad one behind in a member", { a: pem + pemOf(Buffer.from("bad")) });
  yield named("a bad one before in a member", { a: pemOf(Buffer.from("bad")) + pem });
  yield named("two", { a: pemOf(spki(rsaPublicKey(Buffer.from(keys.otherRsa.jwk.n!, "base64url"), e))), b: pem });
  yield named("one and a bad one", { a: pem, b: pemOf(Buffer.from("bad")) });
  yield named("one and something else", { a: pem, b: "x" });
  yield named("one and a number", { a: pem, b: 1 });
  yield named("one without a name", { "": pem });
  yield named("one beside keys", { a: pem, keys: [] });
  yield named("the marks alone", { a: "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n" });
  yield named("the marks with one line end", { a: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" });
  yield named("no base64", { a: "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n" });
  yield one("of version 1", certificate({ key, version: Buffer.alloc(0), trailing: [] }));
  yield one("of version 1 with extensions", certificate({ key, version: Buffer.alloc(0) }));
  yield one("of version 2", certificate({ key, version: der(0xa0, der(0x02, Buffer.from([1]))), trailing: [] }));
  yield one("of version 3 without extensions", certificate({ key, trailing: [] }));
  yield one("of version 4", certificate({ key, version: der(0xa0, der(0x02, Buffer.from([3]))) }));
  yield one(
    "with version 1 written",
    certificate({ key, version: der(0xa0, der(0x02, Buffer.from([0]))), trailing: [] }),
  );
  yield one("with extensions twice", certificate({ key, trailing: [extensions, extensions] }));
  yield one("with an unknown part behind", certificate({ key, trailing: [extensions, der(0xa4)] }));
  yield one("with bytes behind", Buffer.concat([good, Buffer.alloc(1)]));
  yield one("a byte short", good.subarray(0, -1));
  yield one("without a validity", certificate({ key, validity: der(0x30) }));
  yield one("without a serial number", certificate({ key, serial: Buffer.alloc(0) }));
  yield one("without an algorithm's NULL", certificate({ key, algorithm: der(0x30, rsaAlgorithm.subarray(2, 13)) }));
  yield one(
    "with the key of another algorithm",
    certificate({ key, algorithm: der(0x30, Buffer.from("06072a8648ce3d0201", "hex")) }),
  );
  yield one("without a signature", certificate({ key, signature: Buffer.alloc(0) }));
  yield one(
    "of version 3, with the version once more",
    certificate({ key, version: Buffer.concat([versionThree, versionThree]) }),
  );
  yield one("with a negative modulus", spki(der(0x30, der(0x02, n), der(0x02, e))));
  yield one("with a modulus of two zeros in front", spki(der(0x30, der(0x02, Buffer.alloc(2), n), der(0x02, e))));
  yield one("with bytes behind the key", spki(Buffer.concat([key, Buffer.alloc(1)])));
  yield one("with e of 1", spki(rsaPublicKey(n, Buffer.from([1]))));
  yield one("with e of 4", spki(rsaPublicKey(n, Buffer.from([4]))));
  yield one("with e of 33 bits", spki(rsaPublicKey(n, Buffer.from("0100000001", "hex"))));
  yield one("with e of 34 bits", spki(rsaPublicKey(n, Buffer.from("0200000001", "hex"))));
  yield one("with a modulus of 256 bits", spki(rsaPublicKey(Buffer.alloc(32, 0xff), e)));
  const five = Buffer.from(keys.rsaOfFive.jwk.n!, "base64url");
  const map = { a: pemOf(spki(rsaPublicKey(five, Buffer.from([5])))) };
  yield named("with e of 5", map, tokenOf(keys.rsaOfFive, "RS256"));
  yield named("with e of 5, PS256", map, tokenOf(keys.rsaOfFive, "PS256"));
  yield named("one, a token of its kid", { a: pem }, tokenOf(keys.rsa, "RS256", { kid: "a" }));
  yield named("one, a token of another kid", { a: pem }, tokenOf(keys.rsa, "RS256", { kid: "b" }));
  yield named("one, RS512", { a: pem }, tokenOf(keys.rsa, "RS512"));
  yield named("one, PS384", { a: pem }, tokenOf(keys.rsa, "PS384"));
  yield named("one, ES256", { a: pem }, ecToken);
}
