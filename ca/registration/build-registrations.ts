import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import type { CallerSelector, ClaimSelector, RegistrationEntry } from "./contract.ts";
import { type IdTemplate, readTemplate } from "./id-template.ts";

/** Whose identity an entry gives. */
export type Granted =
  | { readonly kind: "fixed"; readonly id: SpiffeId }
  | { readonly kind: "template"; readonly template: IdTemplate };

/** An entry made ready. `rank` is its place in the order in which entries count. */
export interface RankedEntry {
  readonly rank: number;
  readonly entry: RegistrationEntry;
  readonly grants: Granted;
}

/** One `jwt` selector of an entry. */
export interface JwtRow {
  readonly ranked: RankedEntry;
  readonly claims: readonly ClaimSelector[];
}

/** The selectors of one issuer, each filed under one of its claims, which must hold for it to match. */
export interface IssuerIndex {
  /** Selectors that ask for no claim. */
  readonly always: readonly JwtRow[];
  readonly byClaim: readonly {
    readonly path: readonly string[];
    readonly byValue: ReadonlyMap<string, readonly JwtRow[]>;
  }[];
}

/** The registrations of one rule set, filed so that no look-up walks all of them. Immutable. */
export interface Registrations {
  /** ORDER: the order in which entries count: those of one identity before templates, then by name. */
  readonly ranked: readonly RankedEntry[];
  /** Entries of one identity by that identity. */
  readonly byId: ReadonlyMap<string, readonly RankedEntry[]>;
  /** Entries of one identity by the SPIFFE IDs of their callers. */
  readonly byCallerId: ReadonlyMap<string, readonly RankedEntry[]>;
  readonly byIssuer: ReadonlyMap<string, IssuerIndex>;
  /** Templates by the number of their segments. */
  readonly templates: ReadonlyMap<
    number,
    readonly (RankedEntry & { readonly grants: { readonly kind: "template" } })[]
  >;
}

/**
 * Files entries for `matchEntries`, once for a rule set. Total. An entry whose SPIFFE ID is none, which no validated document gives, is left out, so
 * that it gives nobody anything. Cost: linear in the entries and their selectors, but for the sorting.
 */
export function buildRegistrations(entries: readonly RegistrationEntry[]): Registrations {
  const ranked = rank(entries);
  const byId = new Map<string, RankedEntry[]>();
  const byCallerId = new Map<string, RankedEntry[]>();
  const templates = new Map<number, (RankedEntry & { grants: { kind: "template" } })[]>();
  const issuers = new Map<string, JwtRow[]>();
  for (const each of ranked) {
    const { grants, entry } = each;
    if (grants.kind === "fixed") file(byId, grants.id.toString(), each);
    else file(templates, grants.template.segments.length, { ...each, grants });
    for (const selector of entry.callers) {
      if (selector.kind === "jwt") file(issuers, selector.issuer, { ranked: each, claims: selector.claims });
      if (selector.kind === "spiffe-id" && grants.kind === "fixed") file(byCallerId, selector.id, each);
    }
  }
  const byIssuer = new Map([...issuers].map(([issuer, rows]) => [issuer, indexIssuer(rows)]));
  return { ranked, byId, byCallerId, byIssuer, templates };
}

/** What an entry gives; undefined when its SPIFFE ID is none. */
export function grantsOf({ spiffeId: parts }: RegistrationEntry): Granted | undefined {
  const [first, second] = parts;
  if (first?.kind === "text" && second === undefined) {
    const parsed = parseSpiffeId(first.text);
    return parsed.ok && parsed.id.path !== "" ? { kind: "fixed", id: parsed.id } : undefined;
  }
  const template = readTemplate(parts);
  return template && { kind: "template", template };
}

function rank(entries: readonly RegistrationEntry[]): readonly RankedEntry[] {
  const granting = entries.flatMap((entry) => {
    const grants = grantsOf(entry);
    return grants === undefined ? [] : [{ entry, grants }];
  });
  granting.sort(
    (a, b) => order(a) - order(b) || (a.entry.name < b.entry.name ? -1 : a.entry.name > b.entry.name ? 1 : 0),
  );
  return granting.map((each, rank) => ({ ...each, rank }));
}

function order({ grants }: { readonly grants: Granted }): number {
  return grants.kind === "fixed" ? 0 : 1;
}

function file<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function indexIssuer(rows: readonly JwtRow[]): IssuerIndex {
  const always: JwtRow[] = [];
  const byClaim = new Map<string, { path: readonly string[]; byValue: Map<string, JwtRow[]> }>();
  for (const row of rows) {
    const anchor = anchorOf(row.claims);
    if (anchor === undefined) {
      always.push(row);
      continue;
    }
    const key = JSON.stringify(anchor.path);
    const dimension = byClaim.get(key) ?? { path: anchor.path, byValue: new Map() };
    byClaim.set(key, dimension);
    for (const value of new Set(anchor.values)) file(dimension.byValue, value, row);
  }
  return { always, byClaim: [...byClaim.values()] };
}

/** The claim with the fewest values: any of them would do. */
function anchorOf(claims: Extract<CallerSelector, { kind: "jwt" }>["claims"]): ClaimSelector | undefined {
  return claims.reduce<ClaimSelector | undefined>(
    (best, claim) => (best === undefined || claim.values.length < best.values.length ? claim : best),
    undefined,
  );
}
