import type { Caller } from "#ca/callers/contract";
import { quote } from "#identity/encoding/quote";
import type { SpiffeId } from "#identity/spiffe-id";
import type { AuthorizedIdentity, Match } from "./contract.ts";

/** Identities that a refusal names. */
const mostNamed = 5;

/**
 * The one identity that the caller gets, of those that `matchEntries` found for it: `requested`, compared whole; when nothing is requested the caller's own, else the
 * only one. Of several entries that give it the first decides what its certificate may be. Total, never throws.
 */
export function authorizeIdentity(
  matches: readonly Match[],
  requested: string | undefined,
  caller: Caller,
): AuthorizedIdentity {
  const [first] = matches;
  if (first === undefined) {
    return refuse("identity/not-registered", describeCaller(caller), "a WorkloadRegistration whose `callers` match it");
  }
  if (requested !== undefined) {
    return (
      granted(matches, requested) ??
      refuse("identity/not-allowed", `${quote(requested)} for ${describeCaller(caller)}`, `one of ${named(matches)}`)
    );
  }
  const own = ownId(caller);
  const ownMatch = own && granted(matches, own.toString());
  if (ownMatch !== undefined) return ownMatch;
  const only = first.id.toString();
  if (matches.every(({ id }) => id.toString() === only)) return { ok: true, ...first };
  return refuse("identity/ambiguous", `no identity for ${describeCaller(caller)}`, `one of ${named(matches)}`);
}

function granted(matches: readonly Match[], wanted: string): AuthorizedIdentity | undefined {
  const match = matches.find(({ id }) => id.toString() === wanted);
  return match && { ok: true, ...match };
}

function ownId(caller: Caller): SpiffeId | undefined {
  return "id" in caller ? caller.id : undefined;
}

/** Who asks, for an operator: the claims that a registration can name, and no credential. */
function describeCaller(caller: Caller): string {
  switch (caller.method) {
    case "x509-svid":
      return `a caller with the certificate of ${quote(caller.id.toString())}`;
    case "ended-x509-svid":
      return `a caller with an ended certificate of ${quote(caller.id.toString())}`;
    case "jwt": {
      const subject = caller.subject === undefined ? "without `sub`" : `with the \`sub\` ${quote(caller.subject)}`;
      return `a caller with a token of ${quote(caller.issuer)} ${subject}`;
    }
    case "join-token":
      return `a caller with a join token for ${quote(caller.id.toString())}`;
    case "operator":
      return "the operator";
  }
}

function named(matches: readonly Match[]): string {
  const ids = [...new Set(matches.map(({ id }) => id.toString()))];
  const shown = ids.slice(0, mostNamed).map(quote).join(", ");
  return ids.length > mostNamed ? `${shown} and ${ids.length - mostNamed} more` : shown;
}

function refuse(
  code: Extract<AuthorizedIdentity, { ok: false }>["code"],
  seen: string,
  wanted: string,
): AuthorizedIdentity {
  return { ok: false, code, seen, wanted };
}
