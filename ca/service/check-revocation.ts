import { isOwnId } from "#ca/authorities/server-certificate";
import type { Revocation } from "#ca/store/contract";
import { quote } from "#identity/encoding/quote";
import { parseSpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";

const longestReason = 500;

/**
 * Nothing is ever un-revoked, and a text that is nobody's identity revokes nobody: so what is wanted is looked at first. Fails with `ca-revocation/target` for
 * what is no workload's identity of the trust domain, for what is no SHA-256, and for the authority's own, without which its doors could not be opened any more; with
 * `ca-revocation/reason` for what is not one line of text.
 */
export function checkRevocation(target: Revocation["target"], reason: string, trustDomain: string): void {
  const fault = targetFault(target, trustDomain);
  if (fault !== undefined) throw new CodedError("ca-revocation/target", fault);
  checkReason(reason);
}

/** Fails with `ca-revocation/reason` for what is not one line of text. */
export function checkReason(reason: string): void {
  // A lone surrogate is no text: the store's tables would have it otherwise than the log.
  const isLine = /^[^\p{Cc}\p{Cs}\u2028\u2029]+$/u.test(reason) && reason.length <= longestReason;
  if (isLine) return;
  throw new CodedError("ca-revocation/reason", `expected a reason, one line of 1 to ${longestReason} characters`);
}

function targetFault(target: Revocation["target"], trustDomain: string): string | undefined {
  if (target.kind === "identity") return identityFault(target.spiffeId, trustDomain);
  if (target.kind === "serial" || /^[0-9a-f]{64}$/.test(target.fingerprint)) return undefined;
  return `expected the SHA-256 of a certificate, 64 digits of hex in lower case, found ${quote(target.fingerprint)}`;
}

function identityFault(text: string, trustDomain: string): string | undefined {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok || parsed.id.trustDomain !== trustDomain || parsed.id.path === "")
    return `expected the SPIFFE ID of a workload of ${quote(trustDomain)}, found ${quote(text)}`;
  return isOwnId(parsed.id) ? `${quote(text)} is the authority's own` : undefined;
}
