import type { Caller } from "#ca/callers/contract";
import { grantsOf } from "#ca/registration/build-registrations";
import type { CallerSelector, ClaimSelector, Match, RegistrationEntry, SpiffeIdPart } from "#ca/registration/contract";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";

/** An entry of one identity for a join token, with what differs. */
export function entryOf(differs: Partial<RegistrationEntry>): RegistrationEntry {
  return {
    name: "foo/p",
    source: { file: "p.yaml", line: 1 },
    spiffeId: [{ kind: "text", text: "spiffe://td/a" }],
    callers: [{ kind: "join-token" }],
    dnsNames: [],
    keyKinds: [],
    ttlSeconds: undefined,
    maxTtlSeconds: undefined,
    ...differs,
  };
}

/** Parts of an ID from a text in which claims stand in braces; `a.b` is the claim `b` inside `a`. */
export function partsOf(text: string): readonly SpiffeIdPart[] {
  return text
    .split(/(?=\{)|(?<=\})/)
    .map(
      (part): SpiffeIdPart =>
        part.startsWith("{") ? { kind: "claim", path: part.slice(1, -1).split(".") } : { kind: "text", text: part },
    );
}

export function idOf(text: string): SpiffeId {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.fault}`);
  return parsed.id;
}

export const svid = (id: string): Caller => ({ method: "x509-svid", id: idOf(id), fingerprint: "f", serialHex: "1" });
export const joining = (id: string): Caller => ({ method: "join-token", id: idOf(id), tokenHash: "h" });
export const operator: Caller = { method: "operator" };
export const bearer = (issuer: string, claims: Readonly<Record<string, unknown>>): Caller => ({
  method: "jwt",
  issuer,
  subject: typeof claims["sub"] === "string" ? claims["sub"] : undefined,
  claims,
  evidence: "e",
});
export const jwt = (issuer: string, claims: Readonly<Record<string, readonly string[]>> = {}): CallerSelector => ({
  kind: "jwt",
  issuer,
  claims: Object.entries(claims).map(([path, values]) => ({ path: path.split("."), values })),
});

/**
 * What `matchEntries` finds, by walking every entry and every selector, with another reading of templates and claims: the oracle of the index. Slow on
 * purpose, and shares nothing with the index but the type of an entry and the test whether its SPIFFE ID is one at all.
 */
export function matchLinearly(
  entries: readonly RegistrationEntry[],
  caller: Caller,
  requested: string | undefined,
): readonly Match[] {
  const isTemplate = (entry: RegistrationEntry) => entry.spiffeId.some(({ kind }) => kind === "claim");
  const key = (entry: RegistrationEntry) => `${isTemplate(entry) ? 1 : 0} ${entry.name}`;
  return entries
    .filter((entry) => grantsOf(entry) !== undefined)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
    .flatMap((entry) => {
      const id = identityFor(entry, caller, requested);
      return id === undefined ? [] : [{ entry, id: idOf(id) }];
    });
}

function identityFor(entry: RegistrationEntry, caller: Caller, requested: string | undefined): string | undefined {
  const only = entry.spiffeId.length === 1 && entry.spiffeId[0]?.kind === "text" ? entry.spiffeId[0].text : undefined;
  switch (caller.method) {
    case "x509-svid": {
      const own = caller.id.toString();
      if (couldBe(entry.spiffeId, own)) return own;
      return entry.callers.some((selector) => selector.kind === "spiffe-id" && selector.id === own) ? only : undefined;
    }
    case "join-token":
      return only === caller.id.toString() && entry.callers.some(({ kind }) => kind === "join-token")
        ? only
        : undefined;
    case "operator":
      return only ?? (requested !== undefined && couldBe(entry.spiffeId, requested) ? requested : undefined);
    case "jwt": {
      const fits = entry.callers.some(
        (selector) =>
          selector.kind === "jwt" &&
          selector.issuer === caller.issuer &&
          selector.claims.every((claim) => says(claim, caller.claims)),
      );
      if (!fits) return undefined;
      const texts = entry.spiffeId.map((part) =>
        part.kind === "text" ? part.text : valueAt(caller.claims, part.path),
      );
      if (!texts.every((text, i) => typeof text === "string" && (entry.spiffeId[i]?.kind === "text" || isPiece(text))))
        return undefined;
      const parsed = parseSpiffeId(texts.join(""));
      return parsed.ok ? parsed.id.toString() : undefined;
    }
  }
}

function says({ path, values }: ClaimSelector, claims: Readonly<Record<string, unknown>>): boolean {
  const claim = valueAt(claims, path);
  return values.some((value) => claim === value || (Array.isArray(claim) && claim.includes(value)));
}

function valueAt(claims: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return claims;
  const isObject = typeof claims === "object" && claims !== null && !Array.isArray(claims);
  const member = isObject ? Object.entries(claims).find(([key]) => key === name) : undefined;
  return member && valueAt(member[1], rest);
}

/** By a pattern: any piece of a segment where a claim stands. */
function couldBe(parts: readonly SpiffeIdPart[], id: string): boolean {
  const pattern = parts
    .map((part) => (part.kind === "text" ? part.text.replace(/[.]/g, "\\.") : "([A-Za-z0-9._-]+)"))
    .join("");
  const found = new RegExp(`^${pattern}$`).exec(id);
  return found !== null && parseSpiffeId(id).ok && found.slice(1).every(isPiece);
}

function isPiece(text: unknown): boolean {
  return typeof text === "string" && /^[A-Za-z0-9._-]+$/.test(text) && text !== "." && text !== "..";
}
