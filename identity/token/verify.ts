import { flattenedVerify, importJWK } from "jose";
import { encodeBase64Url } from "../encoding/base64url.ts";
import { bytesOf } from "../encoding/byte-string.ts";
import type { VerificationKey } from "../key-set/key-set.ts";
import { type Attempt, attemptOf, isMeant } from "./attempt.ts";
import { fitsStrictly, strictFault } from "./strict.ts";
import type { Algorithm, ParsedToken, TokenFault } from "./token.ts";
import type { SignatureVerifier, Verification, VerifyToken } from "./verification.ts";

/**
 * A verifier of tokens that tries the keys of a set as Envoy does: each that may be meant, in the order of the set, until one verifies.
 * A signature is left to jose where the algorithm is the key's own, and to `verifier` where Envoy's answer is one that jose would not
 * give. Never rejects. Envoy: common/jwt, verify.cc. Imported keys are kept as long as their `VerificationKey` is.
 */
export function createTokenVerifier(verifier: SignatureVerifier): VerifyToken {
  const imported = new WeakMap<VerificationKey, Map<Algorithm, Promise<ImportedKey | undefined>>>();

  async function verifyByKeys(
    token: ParsedToken,
    keys: readonly VerificationKey[],
    strict: boolean,
  ): Promise<Verification> {
    for (const key of keys) {
      const attempt = attemptOf(token, key);
      // INVARIANT: strict takes nothing that Envoy does not take, also where Envoy ends at a key that has nothing to do with the token.
      if (attempt.kind === "fault") return no(attempt.fault);
      const fits = fitsStrictly(token, key);
      if (strict && !fits) continue;
      if (attempt.kind === "signature" && (await verifySignature(token, key, attempt, fits))) return { ok: true };
    }
    return no("signature");
  }

  async function verifySignature(
    token: ParsedToken,
    key: VerificationKey,
    attempt: Attempt & { kind: "signature" },
    fits: boolean,
  ): Promise<boolean> {
    const byJose =
      fits && !token.critical
        ? await verifyByJose(token, await importOnce(key, token.algorithm), attempt.signature)
        : undefined;
    return byJose ?? (await verifier.verify(key, attempt.scheme, bytesOf(token.signedText), attempt.signature));
  }

  function importOnce(key: VerificationKey, algorithm: Algorithm): Promise<ImportedKey | undefined> {
    const byAlgorithm = imported.get(key) ?? new Map<Algorithm, Promise<ImportedKey | undefined>>();
    imported.set(key, byAlgorithm);
    let importing = byAlgorithm.get(algorithm);
    if (importing === undefined) {
      importing = importJWK({ ...key.jwk, kty: key.kty }, algorithm).catch(() => undefined);
      byAlgorithm.set(algorithm, importing);
    }
    return importing;
  }

  return (token, { keys }, fit) => {
    const strict = fit === "strict";
    const fault = strict ? strictFault(token) : undefined;
    if (fault !== undefined) return no(fault);
    const meant = keys.filter((key) => isMeant(token, key));
    return meant.length === 0 ? no("keyMissing") : verifyByKeys(token, meant, strict);
  };
}

type ImportedKey = Awaited<ReturnType<typeof importJWK>>;

function no(fault: TokenFault): Verification {
  return { ok: false, fault };
}

/** jose's answer; undefined when it would not look at the signature, as for a header whose JSON only protobuf takes. */
async function verifyByJose(
  token: ParsedToken,
  key: ImportedKey | undefined,
  signature: Uint8Array,
): Promise<boolean | undefined> {
  if (key === undefined) return undefined;
  const dot = token.signedText.indexOf(".");
  const jws = {
    protected: token.signedText.slice(0, dot),
    payload: token.signedText.slice(dot + 1),
    signature: encodeBase64Url(signature),
  };
  try {
    await flattenedVerify(jws, key, { algorithms: [token.algorithm] });
    return true;
  } catch (error) {
    return isSignatureFault(error) ? false : undefined;
  }
}

function isSignatureFault(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
}
