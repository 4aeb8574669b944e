import type { CelValue } from "./attribute-value.ts";
import type { AttributeRow } from "./attributes.ts";

/** Words in names of headers and query parameters whose values nobody is shown. */
const secretWords =
  /auth|token|secret|passw|pwd|passphrase|cookie|session|credential|api-?_?key|private|signature|jwt|assertion|dpop|[cx]srf|bearer|(^|[-_])(key|otp|pin)$|^code$|^sig$|^sid$/;

/** Attributes whose members have names of the client's; a value of one is shown only when the expression names a member that is no secret. */
const namedByClients: ReadonlySet<string> = new Set(["request.headers", "request.headerLines", "request.query"]);

/** A signed token: header, claims, signature. */
const signedToken = /[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{16,}/;

/** Credentials under whatever name: a scheme of RFC 9110 §11 and what it carries, alone or as one of several lines. */
const credentials = /(?:^|,)\s*(?:basic|bearer|digest|dpop|negotiate|ntlm|token)\s+\S/i;

/**
 * May what an expression makes of the attribute not be shown? `member`: the one that it names; undefined: none, or not by a constant. The
 * text of a condition tells which attributes it compares with what, so that its truth is always shown.
 */
export function isSecret(row: AttributeRow, member: string | undefined, value: CelValue | undefined): boolean {
  if (namedByClients.has(row.name)) {
    if (member === undefined || secretWords.test(member.toLowerCase())) return true;
  }
  // The query stands in the target.
  if (row.name === "request.target" && typeof value === "string" && value.includes("?")) return true;
  return holdsToken(member !== undefined && value instanceof Map ? value.get(member) : value);
}

/** `undefined`: a member that is not there. */
function holdsToken(value: CelValue | undefined): boolean {
  if (typeof value === "string") return signedToken.test(value) || credentials.test(value);
  if (value === null || typeof value !== "object" || value instanceof Date) return false;
  for (const item of value.values() as Iterable<CelValue>) if (holdsToken(item)) return true;
  return false;
}
