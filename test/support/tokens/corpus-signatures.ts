import { algorithms } from "#identity/token/token";
import type { CorpusToken } from "./corpus.ts";
import { emsaPkcs1, emsaPss } from "./rsa-encodings.ts";
import { digests, keySetOf, rsaRaw, signWith, type TestKey, type TestKeys } from "./test-keys.ts";
import { headerOf, keysFor, optionsOf, tokenOf, unsigned, withSignature } from "./token-text.ts";

/** Signatures of every algorithm: good, and tampered with in every way. */
export function* signatureCorpus(keys: TestKeys): Generator<CorpusToken> {
  for (const alg of algorithms) {
    const [key, other] = keysFor(keys, alg);
    const jwks = keySetOf([key]);
    const signed = unsigned(headerOf(alg));
    const good = signWith(key, signed, optionsOf(alg));
    const named = (name: string, token: string) => ({ name: `${alg}: ${name}`, token, jwks });
    yield named("good", withSignature(signed, good));
    for (const [name, signature] of tampered(good)) yield named(name, withSignature(signed, signature));
    yield named("no signature", signed);
    yield named("an empty signature", `${signed}.`);
    yield named("a signature of white space", `${signed}. `);
    yield named("another payload", withSignature(unsigned(headerOf(alg), '{"sub":"root"}'), good));
    yield named("another header", withSignature(unsigned(headerOf(alg, { typ: "JWT" })), good));
    yield named("another key", withSignature(signed, signWith(other, signed, optionsOf(alg))));
    yield named(
      "the payload alone signed",
      withSignature(signed, signWith(key, signed.split(".")[1]!, optionsOf(alg))),
    );
    yield named(
      "the token with a dot at the end signed",
      withSignature(signed, signWith(key, `${signed}.`, optionsOf(alg))),
    );
    if (alg !== "EdDSA") {
      for (const digest of digests) {
        yield named(
          `signed with ${digest}`,
          withSignature(signed, signWith(key, signed, { ...optionsOf(alg), digest })),
        );
      }
    }
  }
  yield* ecSignatures(keys);
  yield* rsaSignatures(keys);
  yield* edSignatures(keys);
}

function* tampered(good: Buffer): Generator<readonly [string, Uint8Array]> {
  const half = good.length / 2;
  const changed = (at: number, mask: number) => {
    const copy = Buffer.from(good);
    copy[at]! ^= mask;
    return copy;
  };
  yield ["a byte less at the end", good.subarray(0, -1)];
  yield ["a byte less at the beginning", good.subarray(1)];
  yield ["two bytes less", good.subarray(0, -2)];
  yield ["half of it", good.subarray(0, half)];
  yield ["one byte", good.subarray(0, 1)];
  yield ["a zero more at the end", Buffer.concat([good, Buffer.alloc(1)])];
  yield ["two zeros more at the end", Buffer.concat([good, Buffer.alloc(2)])];
  yield ["a one more at the end", Buffer.concat([good, Buffer.from([1])])];
  yield ["a zero more at the beginning", Buffer.concat([Buffer.alloc(1), good])];
  yield ["two zeros more at the beginning", Buffer.concat([Buffer.alloc(2), good])];
  yield ["twice", Buffer.concat([good, good])];
  yield ["all zeros", Buffer.alloc(good.length)];
  yield ["all ones", Buffer.alloc(good.length, 0xff)];
  yield ["backwards", Buffer.from(good).reverse()];
  yield ["halves swapped", Buffer.concat([good.subarray(half), good.subarray(0, half)])];
  yield ["first half zeros", Buffer.concat([Buffer.alloc(half), good.subarray(half)])];
  yield ["second half zeros", Buffer.concat([good.subarray(0, half), Buffer.alloc(half)])];
  for (const at of [0, 1, half - 1, half, good.length - 1]) {
    yield [`lowest bit of byte ${at}`, changed(at, 1)];
    yield [`highest bit of byte ${at}`, changed(at, 0x80)];
  }
}

/** Orders of the curves (FIPS 186-4 §D.1.2). */
const orders = {
  "P-256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  "P-384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  "P-521":
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
} as const;

function* ecSignatures(keys: TestKeys): Generator<CorpusToken> {
  const curves = [
    ["ES256", keys.p256, "P-256", 32],
    ["ES384", keys.p384, "P-384", 48],
    ["ES512", keys.p521, "P-521", 66],
  ] as const;
  for (const [alg, key, crv, size] of curves) {
    const order = orders[crv];
    const jwks = keySetOf([key]);
    const signed = unsigned(headerOf(alg));
    const good = signWith(key, signed, optionsOf(alg));
    const [r, s] = [number(good.subarray(0, size)), number(good.subarray(size))];
    const named = (name: string, signature: Uint8Array) => ({
      name: `${alg}: ${name}`,
      token: withSignature(signed, signature),
      jwks,
    });
    const both = (first: bigint, second: bigint, length: number = size) =>
      Buffer.concat([bytes(first, length), bytes(second, length)]);
    yield named("the other s of the same r", both(r, order - s));
    yield named("DER", signWith(key, signed, { ...optionsOf(alg), der: true }));
    for (const [name, value] of [
      ["0", 0n],
      ["1", 1n],
      ["the order less one", order - 1n],
      ["the order", order],
      ["the order and one", order + 1n],
    ] as const) {
      yield named(`r is ${name}`, both(value, s));
      yield named(`s is ${name}`, both(r, value));
      yield named(`r and s are ${name}`, both(value, value));
    }
    yield named("halves a byte longer", both(r, s, size + 1));
    yield named("halves twice as long", both(r, s, 2 * size));
    yield named("halves a byte longer, and an odd byte", Buffer.concat([both(r, s, size + 1), Buffer.from([7])]));
    yield named("r and the order", both(r + order, s, size + 1));
    yield named("s and the order", both(r, s + order, size + 1));
    yield named("r beyond the halves", both(r + (1n << BigInt(8 * size)), s, size + 1));
    yield named("r less the top byte", Buffer.concat([good.subarray(1, size), good.subarray(size)]));
  }
  yield {
    name: "ES512: halves without their leading zeros",
    token: shortToken(keys.p521),
    jwks: keySetOf([keys.p521]),
  };
}

/** Halves of P-521 begin with a byte that is 0 or 1: both 0 is not rare, and then both can go. */
function shortToken(key: TestKey): string {
  for (let i = 0; ; i++) {
    const signed = unsigned(headerOf("ES512"), `{"i":${i},"exp":4102444800}`);
    const good = signWith(key, signed, { digest: "sha512" });
    if (good[0] !== 0 || good[66] !== 0) continue;
    return withSignature(signed, Buffer.concat([good.subarray(1, 66), good.subarray(67)]));
  }
}

function* rsaSignatures(keys: TestKeys): Generator<CorpusToken> {
  const others = [keys.rsaOfThree, keys.oddRsa, keys.shortRsa, keys.shortestRsa];
  for (const key of others) {
    for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const) {
      const fits = key !== keys.shortestRsa || alg === "RS256";
      if (fits && !(key === keys.shortRsa && alg === "PS512")) {
        yield { name: `${alg}: good, by ${key.name}`, token: tokenOf(key, alg), jwks: keySetOf([key]) };
      } else {
        const token = withSignature(unsigned(headerOf(alg)), Buffer.alloc(key === keys.shortestRsa ? 64 : 128, 1));
        yield { name: `${alg}: too long a digest for ${key.name}`, token, jwks: keySetOf([key]) };
      }
    }
  }
  for (const key of [keys.rsa, keys.rsaOfThree]) {
    const jwks = keySetOf([key]);
    const signed = unsigned(headerOf("RS256"));
    const n = number(Buffer.from(key.jwk.n!, "base64url"));
    const good = number(signWith(key, signed));
    const named = (name: string, signature: Uint8Array) => ({
      name: `RS256, ${key.name}: ${name}`,
      token: withSignature(signed, signature),
      jwks,
    });
    for (const [name, value] of [
      ["0", 0n],
      ["1", 1n],
      ["the modulus less one", n - 1n],
      ["the modulus", n],
      ["the modulus less the signature", n - good],
    ] as const) {
      yield named(`the number ${name}`, bytes(value, 256));
    }
    yield named("the modulus added", bytes(good + n, 257));
    for (const [name, encoded] of emsaPkcs1(signed)) yield named(name, rsaRaw(key, encoded));
    const pss = unsigned(headerOf("PS256"));
    for (const [name, encoded] of emsaPss(pss, 2048)) {
      yield { name: `PS256, ${key.name}: ${name}`, token: withSignature(pss, rsaRaw(key, encoded)), jwks };
    }
  }
  for (const alg of ["RS256", "PS256"] as const) {
    const { signed, signature } = signatureWithZero(keys.rsa, alg);
    const jwks = keySetOf([keys.rsa]);
    yield { name: `${alg}: a zero in front`, token: withSignature(signed, signature), jwks };
    yield { name: `${alg}: the zero in front left out`, token: withSignature(signed, signature.subarray(1)), jwks };
  }
  for (const key of [keys.rsa, keys.shortRsa]) {
    const signed = unsigned(headerOf("PS256"));
    for (const saltLength of [0, 1, 20, 31, 33, 48, 64, 94]) {
      const signature = signWith(key, signed, { pss: true, saltLength });
      yield {
        name: `PS256: a salt of ${saltLength}, ${key.name}`,
        token: withSignature(signed, signature),
        jwks: keySetOf([key]),
      };
    }
  }
}

function signatureWithZero(key: TestKey, alg: "RS256" | "PS256") {
  for (let i = 0; ; i++) {
    const signed = unsigned(headerOf(alg), `{"i":${i},"exp":4102444800}`);
    const signature = signWith(key, signed, optionsOf(alg));
    if (signature[0] === 0) return { signed, signature };
  }
}

/** Order of the base point (RFC 8032 §5.1). */
const edOrder = (1n << 252n) + 27742317777372353535851937790883648493n;

function* edSignatures(keys: TestKeys): Generator<CorpusToken> {
  const signed = unsigned(headerOf("EdDSA"));
  const good = signWith(keys.ed25519, signed);
  const jwks = keySetOf([keys.ed25519]);
  const s = number(Buffer.from(good.subarray(32)).reverse());
  const named = (name: string, signature: Uint8Array) => ({
    name: `EdDSA: ${name}`,
    token: withSignature(signed, signature),
    jwks,
  });
  const second = (value: bigint) => Buffer.concat([good.subarray(0, 32), bytes(value, 32).reverse()]);
  yield named("s and the order", second(s + edOrder));
  yield named(
    "s and eight times the order",
    second(s + 8n * edOrder > 1n << 256n ? s + 7n * edOrder : s + 8n * edOrder),
  );
  yield named("s is the order", second(edOrder));
  yield named("s is 0", second(0n));
  // Points of small order, some not in their shortest form: with them a signature of zeros can verify anything.
  for (const point of [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "0200000000000000000000000000000000000000000000000000000000000000",
  ]) {
    const key = Buffer.from(point, "hex");
    const set = JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x: key.toString("base64url") }] });
    for (const [r, first] of [
      ["the point", key],
      ["the neutral point", Buffer.from(`01${"00".repeat(31)}`, "hex")],
    ] as const) {
      const token = withSignature(signed, Buffer.concat([first, Buffer.alloc(32)]));
      yield {
        name: `EdDSA: a key of small order ${point.slice(0, 4)}..${point.slice(-2)}, r is ${r}`,
        token,
        jwks: set,
      };
    }
  }
}

function number(big: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(big).toString("hex")}`);
}

function bytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex");
}
