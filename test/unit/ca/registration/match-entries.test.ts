import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "#ca/callers/contract";
import { buildRegistrations } from "#ca/registration/build-registrations";
import type { RegistrationEntry } from "#ca/registration/contract";
import { matchEntries } from "#ca/registration/match-entries";
import { bearer, entryOf, joining, jwt, operator, partsOf, svid } from "#test/support/ca/registration";

const kubernetes = "https://kubernetes.default.svc";
const entry = (name: string, spiffeId: string, callers: RegistrationEntry["callers"]) =>
  entryOf({ name, spiffeId: partsOf(spiffeId), callers });

const entries = [
  entry("a/template", "spiffe://td/ns/{k8s.ns}/sa/{k8s.sa.name}", [jwt(kubernetes)]),
  entry("a/prefixed", "spiffe://td/job/job-{name}-run", [jwt("https://ci", { groups: ["builders"] })]),
  entry("b/web", "spiffe://td/ns/shop/sa/web", [
    { kind: "spiffe-id", id: "spiffe://td/ns/shop/sa/web-old" },
    jwt(kubernetes, { sub: ["system:serviceaccount:shop:web"] }),
    { kind: "join-token" },
  ]),
  entry("b/db", "spiffe://td/ns/shop/sa/db", [{ kind: "join-token" }]),
  entry("b/api", "spiffe://td/ns/shop/sa/api", [
    jwt("https://ci", { groups: ["api", "web"], "env.name": ["prod"] }),
    jwt("https://other"),
  ]),
  entry("b/vm", "spiffe://td/vm/one", [{ kind: "join-token" }]),
  entry("c/first", "spiffe://td/first", [jwt("https://numbers", { "groups.0": ["web"] })]),
  entry("c/web", "spiffe://td/ns/shop/sa/web", [{ kind: "spiffe-id", id: "spiffe://td/ns/shop/sa/canary" }]),
];
const registrations = buildRegistrations(entries);
const token = (namespace: unknown, name: unknown, more: Readonly<Record<string, unknown>> = {}) =>
  bearer(kubernetes, { k8s: { ns: namespace, sa: { name } }, ...more });

const rows: readonly (readonly [name: string, caller: Caller, matches: readonly string[], requested?: string])[] = [
  ["a certificate renews what some entry gives", svid("spiffe://td/vm/one"), ["b/vm spiffe://td/vm/one"]],
  [
    "a certificate renews what a template could give, and what entries of its own give",
    svid("spiffe://td/ns/shop/sa/web"),
    ["b/web spiffe://td/ns/shop/sa/web", "c/web spiffe://td/ns/shop/sa/web", "a/template spiffe://td/ns/shop/sa/web"],
  ],
  ["a certificate whose entry is gone renews nothing", svid("spiffe://td/vm/old"), []],
  ["a certificate of another trust domain", svid("spiffe://te/ns/shop/sa/db"), []],
  ["a certificate of an ID that only begins like one", svid("spiffe://td/ns/shop/sa/db/x"), []],
  ["a certificate of the trust domain itself", svid("spiffe://td"), []],
  [
    "a certificate that an entry names as its caller",
    svid("spiffe://td/ns/shop/sa/web-old"),
    ["b/web spiffe://td/ns/shop/sa/web", "a/template spiffe://td/ns/shop/sa/web-old"],
  ],
  ["a caller's ID is compared with its case", svid("spiffe://td/NS/shop/sa/web-old"), []],
  [
    "a certificate of what a template with text gives",
    svid("spiffe://td/job/job-7-run"),
    ["a/prefixed spiffe://td/job/job-7-run"],
  ],
  ["a certificate of what a template gives to nobody", svid("spiffe://td/job/job-..-run"), []],
  ["a template's text is not its claim", svid("spiffe://td/job/job-run"), []],
  ["a template's text leaves room for a claim", svid("spiffe://td/job/job--run"), []],
  [
    "a join token for what an entry gives to one",
    joining("spiffe://td/ns/shop/sa/db"),
    ["b/db spiffe://td/ns/shop/sa/db"],
  ],
  ["a join token for what entries give to others", joining("spiffe://td/ns/shop/sa/api"), []],
  ["a join token for what a template could give", joining("spiffe://td/ns/other/sa/x"), []],
  [
    "a token whose claims fill a template, and are asked for elsewhere",
    token("shop", "web", { sub: "system:serviceaccount:shop:web" }),
    ["b/web spiffe://td/ns/shop/sa/web", "a/template spiffe://td/ns/shop/sa/web"],
  ],
  ["a token of an issuer that nobody names", bearer("https://kubernetes", { k8s: { ns: "a", sa: { name: "b" } } }), []],
  ["a token whose issuer ends in a slash", bearer("https://other/", {}), []],
  ["a token without the template's claims", bearer(kubernetes, { k8s: { ns: "shop" } }), []],
  ["an issuer whose every token will do", bearer("https://other", {}), ["b/api spiffe://td/ns/shop/sa/api"]],
  [
    "a list that holds one of the values",
    bearer("https://ci", { groups: ["x", "web", "api"], env: { name: "prod" } }),
    ["b/api spiffe://td/ns/shop/sa/api"],
  ],
  ["one of two claims", bearer("https://ci", { groups: ["web"], env: { name: "test" } }), []],
  ["claims that only look nested", bearer("https://ci", { groups: ["web"], "env.name": "prod" }), []],
  ["a text that holds the value", bearer("https://ci", { groups: "web,api", env: { name: "prod" } }), []],
  ["a list's item by its number", bearer("https://numbers", { groups: ["web"] }), []],
  ["a list in a list", bearer("https://ci", { groups: [["web"]], env: { name: "prod" } }), []],
  [
    "an operator without a wish",
    operator,
    entries
      .slice(2)
      .map(({ name, spiffeId: [part] }) => `${name} ${part?.kind === "text" && part.text}`)
      .toSorted(),
  ],
  [
    "an operator who names what a template could give",
    operator,
    [
      "b/api spiffe://td/ns/shop/sa/api",
      "b/db spiffe://td/ns/shop/sa/db",
      "b/vm spiffe://td/vm/one",
      "b/web spiffe://td/ns/shop/sa/web",
      "c/first spiffe://td/first",
      "c/web spiffe://td/ns/shop/sa/web",
      "a/template spiffe://td/ns/x/sa/y",
    ],
    "spiffe://td/ns/x/sa/y",
  ],
];

for (const [name, caller, expected, requested] of rows) {
  test(`matches: ${name}`, () => {
    const found = matchEntries(registrations, caller, requested).map((match) => `${match.entry.name} ${match.id}`);
    assert.deepEqual(found, expected);
  });
}

/** Values of a claim from which no identity comes. (T2 of the threats: separators, escapes, dots, capital letters, other alphabets.) */
const hostile: readonly unknown[] = [
  "",
  ".",
  "..",
  "a/b",
  "../admin",
  "a/../b",
  "/",
  "web/",
  "a%2fb",
  "a\\b",
  "a b",
  "a\0",
  "a\n",
  "wéb",
  "\u202eweb",
  "\u0430dmin",
  "ａ",
  "a?x=1",
  "a#b",
  "a,spiffe://td/ns/x/sa/y",
  "spiffe://td/admin",
  "{sub}",
  "a".repeat(2048),
  ["web"],
  7,
  0,
  true,
  null,
  undefined,
  { toString: () => "web" },
  Object("web"),
];

for (const value of hostile) {
  const shown = JSON.stringify(value)?.slice(0, 40) ?? String(value);
  test(`T2, identity injection: none from a claim that is ${shown}`, () => {
    assert.deepEqual(matchEntries(registrations, token(value, "web"), undefined), []);
    assert.deepEqual(matchEntries(registrations, token("shop", value), undefined), []);
    // Between texts a value could stand where it may not by itself.
    const builder = bearer("https://ci", { groups: "builders", name: value });
    assert.deepEqual(matchEntries(registrations, builder, undefined), []);
  });
}

test("what objects inherit is no claim", () => {
  const inherited = buildRegistrations([
    entry("a", "spiffe://td/{constructor.name}", [jwt("i")]),
    entry("b", "spiffe://td/{__proto__.x}", [jwt("i")]),
    entry("c", "spiffe://td/c", [jwt("i", { "constructor.name": ["Object"] })]),
  ]);
  assert.deepEqual(matchEntries(inherited, bearer("i", {}), undefined), []);
  assert.deepEqual(matchEntries(inherited, bearer("i", Object.create({ __proto__: { x: "y" } })), undefined), []);
});

/** SPIFFE IDs that the compiler refuses: should one come, it gives nobody anything. */
const broken = [
  "spiffe://td",
  "spiffe://td/",
  "spiffe://TD/a",
  "td/a",
  "spiffe://td{sub}/a",
  "spiffe://{sub}/a",
  "{iss}",
  "spiffe://td/{a}{b}",
  "spiffe://td/{a}-{b}",
  "spiffe://td/{a}//b",
  "spiffe://td/{a}/",
  "spiffe://td/../{a}",
  "spiffe://td/ä/{a}",
];

for (const spiffeId of broken) {
  test(`an entry of ${spiffeId} gives nobody anything`, () => {
    const callers = [jwt("i"), { kind: "join-token" }, { kind: "spiffe-id", id: "spiffe://td/a" }] as const;
    const one = buildRegistrations([entry("a", spiffeId, callers)]);
    assert.deepEqual(one.ranked, []);
    const claims = { a: "x", b: "y", sub: ".evil", iss: "spiffe://td/a" };
    for (const caller of [bearer("i", claims), joining("spiffe://td/a"), svid("spiffe://td/a"), operator]) {
      assert.deepEqual(matchEntries(one, caller, "spiffe://td/a"), []);
    }
  });
}

test("an entry that matches in two ways gives one identity once", () => {
  const twice = buildRegistrations([
    entry("a", "spiffe://td/a", [jwt("i", { g: ["x", "y"] }), jwt("i"), { kind: "spiffe-id", id: "spiffe://td/a" }]),
  ]);
  assert.equal(matchEntries(twice, bearer("i", { g: ["x", "y", "x"] }), undefined).length, 1);
  assert.equal(matchEntries(twice, svid("spiffe://td/a"), undefined).length, 1);
});
