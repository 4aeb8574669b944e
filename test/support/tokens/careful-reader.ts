import { importJWK, jwtVerify } from "jose";
import type { VerificationKey } from "#identity/key-set/key-set";
import { readKeySet } from "#identity/key-set/read-key-set";
import type { CorpusToken } from "./corpus.ts";

const byType: ReadonlyMap<string, readonly string[]> = new Map([
  ["RSA", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["EC P-256", ["ES256"]],
  ["EC P-384", ["ES384"]],
  ["EC P-521", ["ES512"]],
  ["OKP Ed25519", ["EdDSA"]],
  ["oct", ["HS256", "HS384", "HS512"]],
]);

/** The algorithms that a key may be used with (RFC 7518 §3.1, RFC 8037 §3.1): they come from the key, never from the token. */
function algorithmsOf({ kty, crv, alg }: VerificationKey): readonly string[] {
  const all = byType.get(crv === undefined ? kty : `${kty} ${crv}`) ?? [];
  return alg === "" ? all : all.filter((algorithm) => algorithm === alg);
}

/**
 * Would a reader who goes by the RFCs take the token, with jose's help, by any key of the set that its `kid` does not rule out? The set is
 * the operator's, and read as Envoy reads it.
 */
export async function isTakenByCarefulReader({ token, jwks }: CorpusToken): Promise<boolean> {
  // RFC 7515 §2: base64url without padding, line ends or other characters.
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) return false;
  const set = readKeySet(jwks);
  if (!set.ok) return false;
  for (const key of set.keys) {
    for (const algorithm of algorithmsOf(key)) if (await verifies(token, key, algorithm)) return true;
  }
  return false;
}

async function verifies(token: string, key: VerificationKey, algorithm: string): Promise<boolean> {
  const { kty, kid, jwk, otherUse } = key;
  // RFC 7518 §3.2.
  const tooShort = kty === "oct" && Buffer.from(jwk["k"] ?? "", "base64url").length * 8 < Number(algorithm.slice(2));
  if (tooShort || otherUse) return false;
  try {
    const { protectedHeader } = await jwtVerify(token, await importJWK({ ...jwk, kty }, algorithm), {
      algorithms: [algorithm],
      requiredClaims: ["exp"],
    });
    const named = protectedHeader.kid === undefined ? "" : Buffer.from(protectedHeader.kid).toString("latin1");
    return kid === "" || named === "" || named === kid;
  } catch {
    return false;
  }
}
