import { curveByName } from "../key-set/curves.ts";
import type { VerificationKey } from "../key-set/key-set.ts";
import { toMagnitude } from "../key-set/magnitude.ts";
import type { Algorithm, ParsedToken, TokenFault } from "./token.ts";
import type { SignatureScheme } from "./verification.ts";

/** What Envoy does with a key that may be meant: verify a signature, pass on to the next key, or end with a fault. */
export type Attempt =
  | { readonly kind: "signature"; readonly scheme: SignatureScheme; readonly signature: Uint8Array }
  | { readonly kind: "pass" }
  | { readonly kind: "fault"; readonly fault: TokenFault };

/** May the key be the one that the token names? Names that are not there forbid nothing. Envoy: common/jwt, verify.cc. */
export function isMeant(token: ParsedToken, { kid, alg }: VerificationKey): boolean {
  return (token.kid === "" || kid === "" || kid === token.kid) && (alg === "" || alg === token.algorithm);
}

/**
 * How Envoy verifies a token with a key: the key's type decides on the family, the token's `alg` on the digest alone, which is SHA-256 when
 * `alg` is of another family. A key is never taken for one of another type. Envoy: common/jwt, verify.cc.
 */
export function attemptOf({ algorithm, signature }: ParsedToken, key: VerificationKey): Attempt {
  switch (key.kty) {
    case "RSA":
      return rsaAttempt(algorithm, key, signature);
    case "EC":
      return ecAttempt(algorithm, key, signature);
    case "oct":
      return { kind: "signature", scheme: { kind: "hmac", digest: digestOf(algorithm, "HS") }, signature };
    case "OKP":
      return signature.length === ed25519SignatureBytes
        ? { kind: "signature", scheme: { kind: "ed25519" }, signature }
        : { kind: "fault", fault: "ed25519Length" };
  }
}

/** RFC 8032 §5.1.6. */
const ed25519SignatureBytes = 64;

/** BoringSSL wants all bytes of a signature; OpenSSL lets zeros be missing in front of an RSA-PSS one. */
function rsaAttempt(algorithm: Algorithm, key: VerificationKey, signature: Uint8Array): Attempt {
  const pss = algorithm.startsWith("PS");
  if (!pss && !algorithm.startsWith("RS")) return { kind: "pass" };
  if (signature.length !== modulusBytes(key)) return { kind: "pass" };
  const digest = digestOf(algorithm, pss ? "PS" : "RS");
  return { kind: "signature", scheme: { kind: pss ? "rsa-pss" : "rsa-pkcs1", digest }, signature };
}

/** Envoy cuts a signature in two halves whatever its length, the odd byte left out, and reads each as a number. */
function ecAttempt(algorithm: Algorithm, key: VerificationKey, signature: Uint8Array): Attempt {
  const sizeBytes = curveByName(key.crv ?? "")?.sizeBytes;
  if (sizeBytes === undefined) return { kind: "pass" };
  const half = signature.length >> 1;
  const r = toMagnitude(signature.subarray(0, half), sizeBytes);
  const s = toMagnitude(signature.subarray(half, 2 * half), sizeBytes);
  if (r.length !== sizeBytes || s.length !== sizeBytes) return { kind: "pass" };
  const both = new Uint8Array(2 * sizeBytes);
  both.set(r);
  both.set(s, sizeBytes);
  return { kind: "signature", scheme: { kind: "ecdsa", digest: digestOf(algorithm, "ES") }, signature: both };
}

function digestOf(algorithm: Algorithm, family: string): "sha256" | "sha384" | "sha512" {
  if (algorithm === `${family}384`) return "sha384";
  return algorithm === `${family}512` ? "sha512" : "sha256";
}

/** Of the modulus, which is written in canonical base64url. */
export function modulusBytes({ jwk }: VerificationKey): number {
  return Math.floor(((jwk.n ?? "").length * 3) / 4);
}
