import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Caller } from "#ca/callers/contract";
import { buildRegistrations, grantsOf } from "#ca/registration/build-registrations";
import type { CallerSelector, Match, RegistrationEntry } from "#ca/registration/contract";
import { matchEntries } from "#ca/registration/match-entries";
import { parseSpiffeId } from "#identity/spiffe-id";
import { bearer, entryOf, joining, jwt, matchLinearly, operator, partsOf, svid } from "#test/support/ca/registration";
import { testSeed } from "#test/support/random";

const seed = testSeed("registrations");
const numRuns = process.env["GARITA_LONG"] === undefined ? 2_000 : 50_000;

/** Few words, so that callers meet entries. */
const name = fc.constantFrom("a", "b", "web", "web-1", "x.y");
const claimName = fc.constantFrom("sub", "ns", "groups", "k.ns", "k.sa", "__proto__");
const issuer = fc.constantFrom("https://i", "https://i/", "j");
const value = fc.constantFrom("a", "b", "web", "ß");

const piece = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 2, arbitrary: claimName.map((path) => `{${path}}`) },
  { weight: 1, arbitrary: fc.tuple(name, claimName).map(([text, path]) => `${text}-{${path}}`) },
  { weight: 1, arbitrary: fc.tuple(claimName, name).map(([path, text]) => `{${path}}-${text}`) },
  // What the compiler refuses.
  { weight: 1, arbitrary: fc.constantFrom("{a}{b}", "", "..", "Ü") },
);
const path = fc.array(piece, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const anyId = fc.tuple(fc.constantFrom("td", "te"), path).map(([domain, rest]) => `spiffe://${domain}/${rest}`);
const plainId = fc
  .tuple(fc.constantFrom("td", "te"), fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([domain, segments]) => `spiffe://${domain}/${segments.join("/")}`);

const selector: fc.Arbitrary<CallerSelector> = fc.oneof(
  plainId.map((id): CallerSelector => ({ kind: "spiffe-id", id })),
  fc
    .tuple(issuer, fc.dictionary(claimName, fc.array(value, { minLength: 1, maxLength: 2 }), { maxKeys: 2 }))
    .map(([of, claims]) => jwt(of, claims)),
  fc.constant<CallerSelector>({ kind: "join-token" }),
);

const entries: fc.Arbitrary<readonly RegistrationEntry[]> = fc
  .array(fc.tuple(anyId, fc.array(selector, { minLength: 1, maxLength: 3 })), { maxLength: 12 })
  .chain((drafts) =>
    fc
      .uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: drafts.length, maxLength: drafts.length })
      .map((numbers) =>
        drafts.map(([spiffeId, callers], i) => {
          const parts = partsOf(spiffeId);
          // As the contract says, and the compiler sees to: only tokens have claims.
          const tokens = callers.filter(({ kind }) => kind === "jwt");
          const takesClaims = parts.some(({ kind }) => kind === "claim");
          return entryOf({
            name: `n/${numbers[i]}`,
            spiffeId: parts,
            callers: takesClaims ? [...tokens, jwt("https://i")] : callers,
          });
        }),
      ),
  );

const claim = fc.oneof(
  name,
  value,
  fc.array(fc.oneof(value, fc.integer()), { maxLength: 3 }),
  fc.string({ unit: fc.constantFrom(..."ab./%-_~\\ \u0000é{}:"), maxLength: 8 }),
  fc.jsonValue(),
);
const claims = fc.record(
  {
    sub: claim,
    ns: claim,
    groups: claim,
    k: fc.oneof(fc.record({ ns: claim, sa: claim }, { requiredKeys: [] }), claim),
  },
  { requiredKeys: [] },
);

const caller: fc.Arbitrary<Caller> = fc.oneof(
  plainId.map(svid),
  plainId.map(joining),
  fc.constant(operator),
  fc.tuple(issuer, claims).map(([of, said]) => bearer(of, said)),
);
const requested = fc.option(fc.oneof(plainId, anyId, fc.string()), { nil: undefined });

const shown = (matches: readonly Match[]) => matches.map(({ entry, id }) => `${entry.name} ${id}`);

test("the index finds what walking every entry finds, in the same order", () => {
  let found = 0;
  fc.assert(
    fc.property(entries, caller, requested, (all, who, wanted) => {
      const matches = matchEntries(buildRegistrations(all), who, wanted);
      assert.deepEqual(shown(matches), shown(matchLinearly(all, who, wanted)));
      found += matches.length;
    }),
    { seed, numRuns },
  );
  assert.ok(found > numRuns / 10, `only ${found} matches`);
});

/** What a template may become, read from its text: as many segments as it has, each with its own text around a piece. */
function isInShape(entry: RegistrationEntry, id: string): boolean {
  const text = entry.spiffeId.map((part) => (part.kind === "text" ? part.text : "\0")).join("");
  const wanted = text.split("/");
  const given = id.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => {
      const [before = "", after] = segment.split("\0");
      const whole = given[i] ?? "";
      if (after === undefined) return whole === before;
      return whole.startsWith(before) && whole.endsWith(after) && whole.length > before.length + after.length;
    })
  );
}

test("whatever claims say, an identity keeps the shape of its template", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(..."a./\\%2fF:@?#{}~ \n"), maxLength: 12 }),
    fc.constantFrom(".", "..", "a/b", "../..", "spiffe://td/admin", "%2e%2e", "a,b", "", "system:serviceaccount:a:b"),
    name,
    fc.jsonValue(),
  );
  const said = fc.record({
    sub: anything,
    ns: anything,
    groups: anything,
    k: fc.record({ ns: anything, sa: anything }),
  });
  let filled = 0;
  fc.assert(
    fc.property(entries, said, (all, from) => {
      for (const { entry, id } of matchEntries(buildRegistrations(all), bearer("https://i", from), undefined)) {
        const parsed = parseSpiffeId(id.toString());
        assert.ok(parsed.ok && parsed.id.path !== "");
        assert.ok(isInShape(entry, id.toString()), `${id} of ${JSON.stringify(entry.spiffeId)}`);
        if (grantsOf(entry)?.kind === "template") filled++;
      }
    }),
    { seed, numRuns },
  );
  assert.ok(filled > numRuns / 50, `only ${filled} templates were filled`);
});

test("an identity that a token got is renewed by its certificate, until the entry is gone", () => {
  let renewed = 0;
  fc.assert(
    fc.property(entries, issuer, claims, (all, of, said) => {
      for (const { entry, id } of matchEntries(buildRegistrations(all), bearer(of, said), undefined)) {
        const own = svid(id.toString());
        const ids = (left: readonly RegistrationEntry[]) =>
          matchEntries(buildRegistrations(left), own, undefined).flatMap((match) =>
            match.id.toString() === id.toString() ? [match.entry] : [],
          );
        assert.ok(ids(all).includes(entry));
        assert.deepEqual(ids(all.filter((each) => !ids(all).includes(each))), []);
        renewed++;
      }
    }),
    { seed, numRuns: numRuns / 4 },
  );
  assert.ok(renewed > 10, `only ${renewed} renewals`);
});
