import { decodeBase64Url, decodeToByteString } from "../encoding/base64url.ts";
import { readStruct, type Struct, type StructValue } from "../encoding/struct-json.ts";
import { type Algorithm, algorithms, type TokenFault, type TokenParse } from "./token.ts";

/**
 * Takes a token apart as Envoy does and says the first thing that is wrong with it, in Envoy's order: form, header, payload, signature.
 * Nothing is verified. Total. Envoy: common/jwt, jwt.cc. Cost: linear in the length.
 */
export function parseToken(text: string): TokenParse {
  const [headerSegment, payloadSegment, signatureSegment, fourth] = piecesOf(text);
  if (headerSegment === undefined || payloadSegment === undefined || signatureSegment === undefined) return no("form");
  if (fourth !== undefined) return no("form");

  const header = readSegment(headerSegment);
  if (header === undefined) return no("headerBase64");
  if (!header.ok) return no("headerJson");
  const { alg, kid } = header.value;
  if (typeof alg !== "string") return no("algorithmMissing");
  if (!isAlgorithm(alg)) return no("algorithmUnknown");
  if (kid !== undefined && typeof kid !== "string") return no("kidType");

  const payload = readSegment(payloadSegment);
  if (payload === undefined) return no("payloadBase64");
  if (!payload.ok) return no("payloadJson");
  const claims = payload.value;
  const fault = claimsFault(claims);
  if (fault !== undefined) return no(fault);

  const signature = decodeBase64Url(signatureSegment);
  if (signature === undefined) return no("signatureBase64");
  return {
    ok: true,
    token: {
      text,
      algorithm: alg,
      kid: kid ?? "",
      critical: "crit" in header.value,
      claims,
      payloadSegment,
      signedText: `${headerSegment}.${payloadSegment}`,
      signature,
      issuer: typeof claims.iss === "string" ? claims.iss : "",
      audiences: audiencesOf(claims.aud),
      notBefore: seconds(claims.nbf),
      expiresAt: seconds(claims.exp),
    },
  };
}

function no(fault: TokenFault): TokenParse {
  return { ok: false, fault };
}

/** The pieces between dots, up to four. Envoy drops empty ones before it counts: `.a..b.c.` has three. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length && pieces.length < 4; ) {
    const dot = text.indexOf(".", start);
    const end = dot === -1 ? text.length : dot;
    if (end > start) pieces.push(text.slice(start, end));
    start = end + 1;
  }
  return pieces;
}

function readSegment(segment: string) {
  const bytes = decodeToByteString(segment);
  return bytes === undefined ? undefined : readStruct(bytes);
}

function isAlgorithm(name: string): name is Algorithm {
  return (algorithms as readonly string[]).includes(name);
}

/** ORDER: the first claim at fault is the one that the client hears of. */
const claimChecks: readonly {
  readonly claim: string;
  readonly fault: (value: StructValue) => TokenFault | undefined;
}[] = [
  { claim: "iss", fault: (value) => (typeof value === "string" ? undefined : "issType") },
  { claim: "sub", fault: (value) => (typeof value === "string" ? undefined : "subType") },
  { claim: "iat", fault: (value) => timeFault(value, "iatType", "iatRange") },
  { claim: "nbf", fault: (value) => timeFault(value, "nbfType", "nbfRange") },
  { claim: "exp", fault: (value) => timeFault(value, "expType", "expRange") },
  { claim: "jti", fault: (value) => (typeof value === "string" ? undefined : "jtiType") },
  { claim: "aud", fault: (value) => (isAudience(value) ? undefined : "audType") },
];

function claimsFault(claims: Struct): TokenFault | undefined {
  for (const { claim, fault } of claimChecks) {
    const value = claims[claim];
    const found = value === undefined ? undefined : fault(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function timeFault(value: StructValue, type: TokenFault, range: TokenFault): TokenFault | undefined {
  if (typeof value !== "number") return type;
  return value < 0 || value >= 2 ** 64 ? range : undefined;
}

function isAudience(value: StructValue): boolean {
  return typeof value === "string" || (Array.isArray(value) && value.every((item) => typeof item === "string"));
}

function audiencesOf(aud: StructValue | undefined): readonly string[] {
  if (typeof aud === "string") return [aud];
  return Array.isArray(aud) ? (aud as readonly string[]) : [];
}

/** Cut to whole seconds, as a conversion to an unsigned integer does; -0 becomes 0. */
function seconds(value: StructValue | undefined): number {
  return typeof value === "number" ? Math.trunc(Math.abs(value)) : 0;
}
