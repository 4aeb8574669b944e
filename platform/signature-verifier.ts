import { constants, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";

/** A public key, or a shared secret, as JSON Web Key material (RFC 7518 §6), and its type. */
export interface SignatureKey {
  readonly kty: "RSA" | "EC" | "oct" | "OKP";
  readonly jwk: Readonly<Record<string, string>>;
}

/** How a signature is computed (RFC 7518 §3, RFC 8037). */
export type SignatureScheme =
  | { readonly kind: "rsa-pkcs1" | "rsa-pss" | "ecdsa" | "hmac"; readonly digest: "sha256" | "sha384" | "sha512" }
  | { readonly kind: "ed25519" };

/**
 * Verifies signatures by `node:crypto`, beside the event loop where a key pair is involved: a set may have hundreds of keys, whose look at one signature
 * takes up to a few milliseconds each. EC signatures are `r || s`, RSA-PSS salts are as long as the digest, HMACs are compared in
 * constant time. False for whatever is no valid signature, a key of another type included; never throws or rejects. Key objects are kept as long
 * as the key is. What a key's numbers may be is for the caller to have looked at: OpenSSL takes RSA keys that others would not.
 */
export function createSignatureVerifier() {
  const objects = new WeakMap<SignatureKey, KeyObject | undefined>();

  const publicKey = (key: SignatureKey): KeyObject | undefined => {
    if (!objects.has(key)) objects.set(key, importKey(key));
    return objects.get(key);
  };

  return {
    verify(
      key: SignatureKey,
      scheme: SignatureScheme,
      signed: Uint8Array,
      signature: Uint8Array,
    ): boolean | Promise<boolean> {
      if (types[scheme.kind] !== key.kty) return false;
      if (scheme.kind === "hmac") return verifyHmac(key, scheme.digest, signed, signature);
      const object = publicKey(key);
      if (object === undefined) return false;
      const digest = scheme.kind === "ed25519" ? null : scheme.digest;
      const withKey = { key: object, ...parameters[scheme.kind] };
      return new Promise((resolve) => {
        try {
          // A fault is what OpenSSL cannot even try, such as a digest that is longer than the modulus.
          verify(digest, signed, withKey, signature, (fault, good) => resolve(fault === null && good));
        } catch {
          resolve(false);
        }
      });
    },
  };
}

const types = { "rsa-pkcs1": "RSA", "rsa-pss": "RSA", ecdsa: "EC", hmac: "oct", ed25519: "OKP" } as const;

const parameters = {
  "rsa-pkcs1": { padding: constants.RSA_PKCS1_PADDING },
  "rsa-pss": { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  ecdsa: { dsaEncoding: "ieee-p1363" },
  ed25519: {},
} as const;

function importKey({ kty, jwk }: SignatureKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk, kty }, format: "jwk" });
  } catch {
    return undefined;
  }
}

function verifyHmac(key: SignatureKey, digest: string, signed: Uint8Array, signature: Uint8Array): boolean {
  const secret = Buffer.from(key.jwk["k"] ?? "", "base64url");
  const expected = createHmac(digest, secret).update(signed).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}
