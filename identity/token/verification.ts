import type { KeySet, VerificationKey } from "#identity/key-set/key-set";
import type { ParsedToken, TokenFault } from "./token.ts";

/**
 * How strict a verification is. `envoy`: what Envoy accepts, which lets the type of the key decide where the token's `alg` says something
 * else. `strict`: the `alg` must fit the key's type and curve (RFC 7518), keys must be as long as it says (§3.2, §3.3) and be meant for
 * signatures, `crit` is refused (RFC 7515 §4.1.11), `exp` is required, and the text must be base64url without anything else (§2) of
 * JSON objects (RFC 8259).
 */
export type AlgorithmFit = "envoy" | "strict";

/** How a signature is computed (RFC 7518 §3). EC signatures are `r || s` (§3.4); RSA-PSS salts are as long as the digest (§3.5). */
export type SignatureScheme =
  | { readonly kind: "rsa-pkcs1" | "rsa-pss" | "ecdsa" | "hmac"; readonly digest: "sha256" | "sha384" | "sha512" }
  | { readonly kind: "ed25519" };

/** Cryptography, handed in from outside: this folder is portable. Answers false for anything that is no valid signature; never throws. */
export interface SignatureVerifier {
  verify(
    key: VerificationKey,
    scheme: SignatureScheme,
    signed: Uint8Array,
    signature: Uint8Array,
  ): boolean | Promise<boolean>;
}

/** Whether a signature is by a key of the set, and if not, what Envoy says. */
export type Verification = { readonly ok: true } | { readonly ok: false; readonly fault: TokenFault };

/**
 * Is the token signed by a key of the set? Claims are not looked at, but for what `strict` demands. How strict is an argument of every call. Cost: a
 * signature for each key that may be meant.
 */
export type VerifyToken = (token: ParsedToken, keys: KeySet, fit: AlgorithmFit) => Verification | Promise<Verification>;
