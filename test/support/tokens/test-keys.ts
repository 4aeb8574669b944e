import {
  constants,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from "node:crypto";

/** A key that signs, and what a set says of it. */
export interface TestKey {
  readonly name: string;
  readonly jwk: JsonWebKey & { kty: string };
  /** Undefined: symmetric. */
  readonly privateKey: KeyObject | undefined;
}

export type Digest = "sha256" | "sha384" | "sha512";
export const digests: readonly Digest[] = ["sha256", "sha384", "sha512"];

/** How a signature is made: the key's own way, with PSS or PKCS #1 padding for RSA. */
export interface SigningOptions {
  readonly digest?: Digest;
  readonly pss?: boolean;
  readonly saltLength?: number;
  readonly der?: boolean;
}

function pair(name: string, { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): TestKey {
  return { name, jwk: publicKey.export({ format: "jwk" }) as TestKey["jwk"], privateKey };
}

const rsa = (name: string, modulusLength: number, publicExponent = 65_537) =>
  pair(name, generateKeyPairSync("rsa", { modulusLength, publicExponent }));
const ec = (name: string, namedCurve: string) => pair(name, generateKeyPairSync("ec", { namedCurve }));
const ed25519 = (name: string) => pair(name, generateKeyPairSync("ed25519"));
const oct = (name: string, bytes: number): TestKey => ({
  name,
  jwk: { kty: "oct", k: randomBytes(bytes).toString("base64url") },
  privateKey: undefined,
});

/** Fresh keys of every kind, each but the symmetric and short ones with an `other` of its kind. */
export function makeTestKeys() {
  return {
    rsa: rsa("rsa", 2048),
    otherRsa: rsa("other rsa", 2048),
    rsaOfThree: rsa("rsa of e=3", 2048, 3),
    rsaOfFive: rsa("rsa of e=5", 2048, 5),
    oddRsa: rsa("rsa of 2049 bits", 2049),
    shortRsa: rsa("rsa of 1024 bits", 1024),
    shortestRsa: rsa("rsa of 512 bits", 512),
    p256: ec("p-256", "P-256"),
    otherP256: ec("other p-256", "P-256"),
    p384: ec("p-384", "P-384"),
    otherP384: ec("other p-384", "P-384"),
    p521: ec("p-521", "P-521"),
    otherP521: ec("other p-521", "P-521"),
    ed25519: ed25519("ed25519"),
    otherEd25519: ed25519("other ed25519"),
    oct: oct("oct of 64 bytes", 64),
    otherOct: oct("other oct", 64),
    shortOct: oct("oct of 5 bytes", 5),
  };
}

export type TestKeys = ReturnType<typeof makeTestKeys>;

/** A signature, EC ones as `r || s` unless `der`. */
export function signWith(key: TestKey, text: string | Uint8Array, options: SigningOptions = {}): Buffer {
  const digest = options.digest ?? "sha256";
  const signed = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  if (key.privateKey === undefined) return hmac(Buffer.from(key.jwk.k ?? "", "base64url"), signed, digest);
  switch (key.jwk.kty) {
    case "EC":
      return sign(digest, signed, { key: key.privateKey, dsaEncoding: options.der ? "der" : "ieee-p1363" });
    case "OKP":
      return sign(null, signed, key.privateKey);
    default: {
      const padding = options.pss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
      const saltLength = options.saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST;
      return sign(digest, signed, { key: key.privateKey, padding, saltLength });
    }
  }
}

export function hmac(secret: Uint8Array, signed: string | Uint8Array, digest: Digest = "sha256"): Buffer {
  return createHmac(digest, secret).update(signed).digest();
}

/** The RSA private operation on an encoded message of the test's making. */
export function rsaRaw(key: TestKey, encoded: Uint8Array): Buffer {
  return privateEncrypt({ key: key.privateKey!, padding: constants.RSA_NO_PADDING }, encoded);
}

/** A set of public keys. `more`: members added to each. */
export function keySetOf(keys: readonly TestKey[], more: object = {}): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => ({ ...jwk, ...more })) });
}

/** The private key of a JWK, for sets that say too much. */
export function privateJwk(key: TestKey): JsonWebKey {
  return createPrivateKey(key.privateKey!.export({ format: "pem", type: "pkcs8" })).export({ format: "jwk" });
}
