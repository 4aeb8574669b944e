import { flattenedVerify, importJWK } from "jose";
import { encodeBase64Url } from "../encoding/base64url.ts";
import { bytesOf } from "../encoding/byte-string.ts";
import type { VerificationKey } from "../key-set/key-set.ts";
import { attemptOf, isMeant } from "./attempt.ts";
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
      if (attempt.kind === "pass" || (strict && !fits)) continue;
      const importedKey = fits && !token.critical ? await importOnce(key, token.algorithm) : undefined;
      const byJose = importedKey && (await verifyByJose(token, importedKey, attempt.signature));
      const { scheme, signature } = attempt;
      if (byJose ?? (await verifier.verify(key, scheme, bytesOf(token.signedText), signature))) return { ok: true };
    }
    return no("signature");
  }

  function importOnce(key: VerificationKey, algorithm: Algorithm): Promise<ImportedKey | undefined> {
    let byAlgorithm = imported.get(key);
    if (byAlgorithm === undefined) {
      byAlgorithm = new Map();
      imported.set(key, byAlgorithm);
    }
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
async function verifyByJose(token: ParsedToken, key: ImportedKey, signature: Uint8Array): Promise<boolean | undefined> {
  const dot = token.signedText.indexOf(".");
  const jws = {
    protected: token.signedText.slice(0, dot),
    payload: token.signedText.slice(dot + 1),
    signature: plainSignature(token) ?? encodeBase64Url(signature),
  };
  try {
    await flattenedVerify(jws, key, { algorithms: [token.algorithm] });
    return true;
  } catch (error) {
    return isSignatureFault(error) ? false : undefined;
  }
}

/** The signature as received, unless it is written in a way that only Envoy reads. */
function plainSignature({ text }: ParsedToken): string | undefined {
  const last = text.slice(text.lastIndexOf(".") + 1);
  return /^[A-Za-z0-9_-]+$/.test(last) ? last : undefined;
}

function isSignatureFault(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
}
