import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "#ca/callers/contract";
import { authorizeIdentity } from "#ca/registration/authorize-identity";
import type { Match } from "#ca/registration/contract";
import { bearer, entryOf, idOf, joining, operator, svid } from "#test/support/ca/registration";

const match = (name: string, id: string): Match => ({ entry: entryOf({ name }), id: idOf(id) });
const a = match("a", "spiffe://td/a");
const b = match("b", "spiffe://td/b");
const otherA = match("c", "spiffe://td/a");
const token = bearer("https://i", { sub: "s" });

const granted: readonly (readonly [name: string, matches: readonly Match[], string | undefined, Caller, Match])[] = [
  ["the only one", [a], undefined, token, a],
  ["the only one, of several entries the first", [a, otherA], undefined, token, a],
  ["the one that was named", [a, b], "spiffe://td/b", token, b],
  ["the one that was named, of several entries the first", [b, otherA, a], "spiffe://td/a", token, otherA],
  ["its own", [a, b], undefined, svid("spiffe://td/b"), b],
  ["that of its token", [a, b], undefined, joining("spiffe://td/b"), b],
  ["another than its own, by name", [a, b], "spiffe://td/a", svid("spiffe://td/b"), a],
  ["the only one, which is another's than its own", [a], undefined, svid("spiffe://td/b"), a],
  ["what the operator names", [a, b], "spiffe://td/b", operator, b],
];

for (const [name, matches, requested, caller, expected] of granted) {
  test(`a caller gets ${name}`, () =>
    assert.deepEqual(authorizeIdentity(matches, requested, caller), { ok: true, ...expected }));
}

const many = Array.from({ length: 7 }, (_, i) => match(`m${i}`, `spiffe://td/m${i}`));

const refused: readonly (readonly [
  name: string,
  matches: readonly Match[],
  requested: string | undefined,
  caller: Caller,
  code: string,
  seen: string,
  wanted: string,
])[] = [
  [
    "nothing is registered for it",
    [],
    undefined,
    token,
    "identity/not-registered",
    "a caller with a token of `https://i` with the `sub` `s`",
    "a WorkloadRegistration whose `callers` match it",
  ],
  [
    "nothing is registered, whatever it names",
    [],
    "spiffe://td/a",
    bearer("https://i", { sub: 7 }),
    "identity/not-registered",
    "a caller with a token of `https://i` without `sub`",
    "a WorkloadRegistration whose `callers` match it",
  ],
  [
    "another is registered",
    [a],
    "spiffe://td/b",
    svid("spiffe://td/c"),
    "identity/not-allowed",
    "`spiffe://td/b` for a caller with the certificate of `spiffe://td/c`",
    "one of `spiffe://td/a`",
  ],
  [
    "what it names is no SPIFFE ID",
    [a],
    "SPIFFE://td/a\n",
    joining("spiffe://td/a"),
    "identity/not-allowed",
    "`SPIFFE://td/a\\u{a}` for a caller with a join token for `spiffe://td/a`",
    "one of `spiffe://td/a`",
  ],
  ["it names nothing", [a], "", operator, "identity/not-allowed", "`` for the operator", "one of `spiffe://td/a`"],
  [
    "it could have several",
    [a, b],
    undefined,
    operator,
    "identity/ambiguous",
    "no identity for the operator",
    "one of `spiffe://td/a`, `spiffe://td/b`",
  ],
  [
    "it could have several, none of them its own",
    many,
    undefined,
    svid("spiffe://td/a"),
    "identity/ambiguous",
    "no identity for a caller with the certificate of `spiffe://td/a`",
    "one of `spiffe://td/m0`, `spiffe://td/m1`, `spiffe://td/m2`, `spiffe://td/m3`, `spiffe://td/m4` and 2 more",
  ],
];

for (const [name, matches, requested, caller, code, seen, wanted] of refused) {
  test(`a caller is refused: ${name}`, () =>
    assert.deepEqual(authorizeIdentity(matches, requested, caller), { ok: false, code, seen, wanted }));
}
