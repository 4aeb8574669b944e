import type { Caller } from "#ca/callers/contract";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import type { JwtRow, RankedEntry, Registrations } from "./build-registrations.ts";
import { claimAt, holdsClaim, textsOf } from "./claims.ts";
import type { Match } from "./contract.ts";
import { fillTemplate, fitsTemplate, segmentsOf } from "./id-template.ts";

/**
 * Which identities a caller may have, each with the entry that gives it, in the order in which entries count; at most one match for an entry. Total,
 * never throws. By how the caller was authenticated:
 *
 * - `x509-svid`: what entries give to its SPIFFE ID, compared whole; and its own ID, as long as some entry gives that to whoever: how it came to the ID at
 *   first does not matter when it renews, and without the entry it cannot.
 * - `ended-x509-svid`: its own ID alone, as long as some entry gives that to whoever.
 * - `jwt`: what entries give to a token of its issuer whose claims are as they say; templates are filled from its claims.
 * - `join-token`: the ID that the token was made for, if an entry gives exactly that to a join token.
 * - `operator`: the ID of every entry, and `requested` where a template could give it.
 *
 * Cost: the entries that could match, all of them for an operator.
 */
export function matchEntries(
  registrations: Registrations,
  caller: Caller,
  requested: string | undefined,
): readonly Match[] {
  switch (caller.method) {
    case "x509-svid":
      return inOrder([...givenToSvid(registrations, caller.id), ...givingId(registrations, caller.id)]);
    case "ended-x509-svid":
      return inOrder(givingId(registrations, caller.id));
    case "jwt":
      return inOrder(givenToToken(registrations, caller.issuer, caller.claims));
    case "join-token":
      return inOrder(
        (registrations.byId.get(caller.id.toString()) ?? [])
          .filter(({ entry }) => entry.callers.some(({ kind }) => kind === "join-token"))
          .flatMap(fixed),
      );
    case "operator":
      return inOrder([...registrations.ranked.flatMap(fixed), ...givenOnRequest(registrations, requested)]);
  }
}

interface RankedMatch extends Match {
  readonly rank: number;
}

function givenToSvid({ byCallerId }: Registrations, caller: SpiffeId): readonly RankedMatch[] {
  return (byCallerId.get(caller.toString()) ?? []).flatMap(fixed);
}

/** Entries that give this ID to whoever. */
function givingId({ byId, templates }: Registrations, id: SpiffeId): readonly RankedMatch[] {
  const fitting = (templates.get(segmentsOf(id).length) ?? [])
    .filter(({ grants }) => fitsTemplate(grants.template, id))
    .map(({ entry, rank }) => ({ entry, rank, id }));
  return [...(byId.get(id.toString()) ?? []).flatMap(fixed), ...fitting];
}

function givenOnRequest(registrations: Registrations, requested: string | undefined): readonly RankedMatch[] {
  const parsed = requested === undefined ? undefined : parseSpiffeId(requested);
  return parsed?.ok ? givingId(registrations, parsed.id) : [];
}

function givenToToken(
  { byIssuer }: Registrations,
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
): readonly RankedMatch[] {
  const index = byIssuer.get(issuer);
  if (index === undefined) return [];
  const rows = index.byClaim.flatMap(({ path, byValue }) =>
    [...new Set(textsOf(claimAt(claims, path)))].flatMap((text) => byValue.get(text) ?? []),
  );
  return [...index.always, ...rows].flatMap((row) => givenByRow(row, claims));
}

function givenByRow({ ranked, claims: wanted }: JwtRow, claims: Readonly<Record<string, unknown>>): RankedMatch[] {
  if (!wanted.every((selector) => holdsClaim(selector, claims))) return [];
  const { entry, grants, rank } = ranked;
  const id = grants.kind === "fixed" ? grants.id : fillTemplate(grants.template, claims);
  return id === undefined ? [] : [{ entry, id, rank }];
}

function fixed({ entry, grants, rank }: RankedEntry): RankedMatch[] {
  return grants.kind === "fixed" ? [{ entry, id: grants.id, rank }] : [];
}

/** An entry that matches in several ways gives one identity all the same. */
function inOrder(matches: readonly RankedMatch[]): readonly Match[] {
  const byRank = new Map(matches.map((match) => [match.rank, match]));
  return [...byRank.values()].sort((a, b) => a.rank - b.rank).map(({ entry, id }) => ({ entry, id }));
}
