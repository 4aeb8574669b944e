import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export type Digest = "sha256" | "sha384" | "sha512";

/** How a signature is made; what the token's `alg` says is another matter. */
export interface SigningScheme {
  readonly digest: Digest;
  /** RSA alone: PSS instead of PKCS #1 v1.5. */
  readonly pss?: boolean;
}

/** A key of an issuer: the public half as it would be published, and the means to sign. */
export interface SigningKey {
  readonly name: string;
  readonly kty: "RSA" | "EC" | "oct" | "OKP";
  /** Without `kid` and `alg`. */
  readonly jwk: Readonly<Record<string, string>>;
  /** The `alg` values that fit the key, with what they mean. */
  readonly algorithms: Readonly<Record<string, SigningScheme>>;
  sign(text: string, scheme: SigningScheme): Buffer;
  /** With the signature in DER; EC alone. */
  signDer?(text: string, scheme: SigningScheme): Buffer;
}

const rsaAlgorithms = {
  RS256: { digest: "sha256" },
  RS384: { digest: "sha384" },
  RS512: { digest: "sha512" },
  PS256: { digest: "sha256", pss: true },
  PS384: { digest: "sha384", pss: true },
  PS512: { digest: "sha512", pss: true },
} as const;

const hmacAlgorithms = {
  HS256: { digest: "sha256" },
  HS384: { digest: "sha384" },
  HS512: { digest: "sha512" },
} as const;

const curves = {
  "P-256": { ES256: { digest: "sha256" } },
  "P-384": { ES384: { digest: "sha384" } },
  "P-521": { ES512: { digest: "sha512" } },
} as const;

export interface KeyRing {
  readonly known: readonly SigningKey[];
  readonly foreign: readonly SigningKey[];
}

/**
 * Fresh keys of every kind that Envoy takes: those that key sets are made of, and one of each family that stands in none
 * (`foreign`). Cost: a second.
 */
export function createKeyRing(): KeyRing {
  return {
    known: [
      rsaKey("rsa-1", 2048, 65537),
      rsaKey("rsa-2", 2048, 65537),
      rsaKey("rsa-e3", 2048, 3),
      rsaKey("rsa-1536", 1536, 65537),
      ecKey("ec256-1", "P-256"),
      ecKey("ec256-2", "P-256"),
      ecKey("ec384-1", "P-384"),
      ecKey("ec521-1", "P-521"),
      edKey("ed-1"),
      edKey("ed-2"),
      octKey("oct-1", randomBytes(48)),
      octKey("oct-2", randomBytes(1)),
      octKey("oct-3", randomBytes(300)),
    ],
    foreign: [rsaKey("rsa-x", 2048, 65537), ecKey("ec256-x", "P-256"), edKey("ed-x"), octKey("oct-x", randomBytes(32))],
  };
}

function rsaKey(name: string, modulusLength: number, publicExponent: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return {
    name,
    kty: "RSA",
    jwk: publicJwk(publicKey),
    algorithms: rsaAlgorithms,
    // RFC 7518 §3.5: salts as long as the digest. 6 is RSA_PKCS1_PSS_PADDING, 1 RSA_PKCS1_PADDING, -1 RSA_PSS_SALTLEN_DIGEST.
    sign: (text, { digest, pss }) =>
      sign(digest, Buffer.from(text), { key: privateKey, padding: pss ? 6 : 1, ...(pss ? { saltLength: -1 } : {}) }),
  };
}

function ecKey(name: string, namedCurve: keyof typeof curves): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return {
    name,
    kty: "EC",
    jwk: publicJwk(publicKey),
    algorithms: curves[namedCurve],
    sign: (text, { digest }) => sign(digest, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }),
    signDer: (text, { digest }) => sign(digest, Buffer.from(text), { key: privateKey, dsaEncoding: "der" }),
  };
}

function edKey(name: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    name,
    kty: "OKP",
    jwk: publicJwk(publicKey),
    algorithms: { EdDSA: { digest: "sha512" } },
    sign: (text) => sign(null, Buffer.from(text), privateKey),
  };
}

function octKey(name: string, secret: Buffer): SigningKey {
  return {
    name,
    kty: "oct",
    jwk: { kty: "oct", k: secret.toString("base64url") },
    algorithms: hmacAlgorithms,
    sign: (text, { digest }) => createHmac(digest, secret).update(text).digest(),
  };
}

function publicJwk(key: KeyObject): Readonly<Record<string, string>> {
  return key.export({ format: "jwk" }) as Record<string, string>;
}
