import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type SignatureAlgorithm, signatureAlgorithmOf } from "./algorithms.ts";
import type { KeyKind } from "./contract.ts";
import { writePem } from "./pem.ts";
import { SubjectPublicKey } from "./subject-public-key.ts";

/**
 * The key for `node:crypto`. Undefined when OpenSSL refuses it: a point that is not on its curve, coordinates beyond the field. How good an RSA modulus is
 * is not looked at (`csr/key-policy.ts` does). About 12 µs. PERF: as PEM. Node 24 asks of everything but a text whether it is a KeyObject or a CryptoKey by having
 * the native side throw, four times on the way to a key of DER or JWK, which takes as long again as the import (`bench/ca.ts`).
 */
export function importPublicKey(key: SubjectPublicKey): KeyObject | undefined {
  if (!SubjectPublicKey.is(key)) throw new Error("a key is imported whose shape nobody looked at");
  try {
    return createPublicKey(writePem("PUBLIC KEY", key.spkiDer));
  } catch {
    return undefined; // Said by the return type: the shape was right, so what is left is the point itself.
  }
}

/** Is this the signature of the bytes by the key? False as well for a signature that is not one at all. Never throws. */
export function verifySignature(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  signedBytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const isRsa = key.asymmetricKeyType === "rsa";
  if (isRsa !== (algorithm.family === "RSA")) return false;
  try {
    return verify(algorithm.digest, signedBytes, key, signature);
  } catch {
    return false;
  }
}

/**
 * Signs the body of a certificate with an authority's key of this kind: P-256 with SHA-256, P-384 with SHA-384, RSA by PKCS #1 v1.5 with SHA-256. ECDSA
 * signatures are DER. Throws when the key does not work.
 */
export function signTbs(signerKeyKind: KeyKind, privateKey: KeyObject, tbsDer: Uint8Array): Uint8Array {
  return new Uint8Array(sign(signatureAlgorithmOf(signerKeyKind).digest, tbsDer, privateKey));
}
