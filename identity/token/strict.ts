import { decodeBase64Url, encodeBase64Url } from "../encoding/base64url.ts";
import { curveByAlgorithm } from "../key-set/curves.ts";
import type { VerificationKey } from "../key-set/key-set.ts";
import { modulusBytes } from "./attempt.ts";
import type { Algorithm, ParsedToken, TokenFault } from "./token.ts";

/** What a careful reader has against a token before any key, in Envoy's words. Cost: the JSON is read again. */
export function strictFault(token: ParsedToken): TokenFault | undefined {
  const [header = "", payload = "", signature = "", more] = token.text.split(".", 4);
  if (more !== undefined || `${header}.${payload}` !== token.signedText) return "form";
  if (!isCanonical(header)) return "headerBase64";
  if (!isJsonObject(header)) return "headerJson";
  if (!isCanonical(payload)) return "payloadBase64";
  if (!isJsonObject(payload)) return "payloadJson";
  if (!isCanonical(signature)) return "signatureBase64";
  // Envoy takes an `exp` of 0 for none.
  if (token.expiresAt === 0) return "expired";
  return token.critical ? "signature" : undefined;
}

/** RFC 7515 §2, RFC 4648 §3.5: no padding, no white space, no loose bits. */
function isCanonical(segment: string): boolean {
  const bytes = decodeBase64Url(segment);
  return bytes !== undefined && encodeBase64Url(bytes) === segment;
}

function isJsonObject(segment: string): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64Url(segment)));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Does the algorithm of a token fit a key as RFC 7518 and RFC 8037 have it: type, curve, length of the key (RFC 7518 §3.2, §3.3, §3.5), and
 * the length of an EC signature (§3.4)?
 */
export function fitsStrictly({ algorithm, signature }: ParsedToken, key: VerificationKey): boolean {
  if (key.otherUse === true || families[algorithm] !== key.kty) return false;
  switch (key.kty) {
    case "RSA":
      return modulusBits(key) >= leastModulusBits;
    case "EC": {
      const curve = curveByAlgorithm(algorithm);
      return curve !== undefined && curve.name === key.crv && signature.length === 2 * curve.sizeBytes;
    }
    case "oct":
      return Math.floor(((key.jwk.k ?? "").length * 3) / 4) * 8 >= Number(algorithm.slice(2));
    case "OKP":
      return key.crv === "Ed25519";
  }
}

const leastModulusBits = 2048;

/** Leading zeros are not written, so that the first byte says where the modulus begins. */
function modulusBits(key: VerificationKey): number {
  const first = decodeBase64Url((key.jwk.n ?? "").slice(0, 2))?.[0] ?? 0;
  return modulusBytes(key) * 8 - Math.clz32(first) + 24;
}

const families: Readonly<Record<Algorithm, VerificationKey["kty"]>> = {
  ES256: "EC",
  ES384: "EC",
  ES512: "EC",
  HS256: "oct",
  HS384: "oct",
  HS512: "oct",
  RS256: "RSA",
  RS384: "RSA",
  RS512: "RSA",
  PS256: "RSA",
  PS384: "RSA",
  PS512: "RSA",
  EdDSA: "OKP",
};
