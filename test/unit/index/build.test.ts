import assert from "node:assert/strict";
import { test } from "node:test";
import { buildIndexes } from "#policy-compiler/index/build";
import { compareBackwards } from "#policy-compiler/ruleset/compare-backwards";
import type { FieldTest, IndexDimension, RuleBody, RuleIndex, ValueTest } from "#policy-compiler/ruleset/model";
import { body, onPath, pathField, policy } from "#test/support/generate/policies";
import { assemble, ruleSet } from "#test/support/generate/rule-sets";
import { Random, testSeed } from "#test/support/random";

/** Where each rule is filed, in one line: `path exact /a`. */
function filed(index: RuleIndex): Map<number, string[]> {
  const places = new Map<number, string[]>();
  const add = (ids: readonly number[], place: string) => {
    for (const id of ids) places.set(id, [...(places.get(id) ?? []), place]);
  };
  add(index.always, "always");
  for (const dimension of index.dimensions) {
    const name = nameOf(dimension);
    for (const op of ["exact", "prefix", "suffix"] as const) {
      for (const [text, ids] of dimension[op]) add(ids, `${name} ${op} ${text}`);
    }
    for (const { bytes, prefixLength, rules } of dimension.cidr)
      add(rules, `${name} ${bytes.join(".")}/${prefixLength}`);
    add(dimension.present, `${name} present`);
  }
  return places;
}

function nameOf({ on }: IndexDimension): string {
  if (on.kind === "workloadLabel") return `label ${on.key}`;
  if (on.kind !== "attribute") return on.kind;
  const { attribute } = on;
  return attribute.kind === "claim" ? `claim ${attribute.path.join(".")}` : attribute.kind;
}

/** Where a lone rule with one value is filed, in a policy of the root namespace. */
function placeOf(attribute: FieldTest["attribute"], ...values: ValueTest[]): string[] | undefined {
  const field: FieldTest = { field: "f", attribute, values, notValues: [], texts: [], notTexts: [] };
  return placesOf(body([], [], [field]));
}

function placesOf(one: RuleBody): string[] | undefined {
  return filed(assemble([policy("p", "allow", [one], { namespace: "root" })]).index.http).get(0);
}

const text = (op: "exact" | "prefix" | "suffix", it: string): ValueTest => ({ kind: "text", test: { op, text: it } });
const places: readonly [name: string, place: string[] | undefined, expected: string[]][] = [
  ["exact text", placeOf({ kind: "host" }, text("exact", "x")), ["host exact x"]],
  ["prefix", placeOf({ kind: "path" }, text("prefix", "/a")), ["path prefix /a"]],
  ["suffix", placeOf({ kind: "path" }, text("suffix", "/a")), ["path suffix /a"]],
  ["presence", placeOf({ kind: "sni" }, { kind: "text", test: { op: "present" } }), ["sni present"]],
  [
    "every value",
    placeOf({ kind: "host" }, text("exact", "x"), text("suffix", ".y")),
    ["host exact x", "host suffix .y"],
  ],
  ["port", placeOf({ kind: "port" }, { kind: "port", port: 80 }), ["port exact 80"]],
  [
    "block",
    placeOf({ kind: "peerAddress" }, { kind: "cidr", bytes: [10, 0, 0, 0], prefixLength: 8 }),
    ["peerAddress 10.0.0.0/8"],
  ],
  [
    "template, longer beginning",
    placeOf({ kind: "path" }, { kind: "template", pieces: ["/abc/", "/x"], globs: ["*"] }),
    ["path prefix /abc/"],
  ],
  [
    "template, longer end",
    placeOf({ kind: "path" }, { kind: "template", pieces: ["/", "/xyz"], globs: ["**"] }),
    ["path suffix /xyz"],
  ],
  ["namespace", placeOf({ kind: "identity" }, { kind: "namespace", pieces: ["foo"] }), ["identityNamespace exact foo"]],
  [
    "namespace with a star",
    placeOf({ kind: "identity" }, { kind: "namespace", pieces: ["fo", "x"] }),
    ["identityNamespace prefix fo"],
  ],
  [
    "namespace with a slash",
    placeOf({ kind: "identity" }, { kind: "namespace", pieces: ["a/b", "x"] }),
    ["identityNamespace exact a"],
  ],
  [
    "any namespace",
    placeOf({ kind: "identity" }, { kind: "namespace", pieces: ["", ""] }),
    ["identityNamespace present"],
  ],
  [
    "account",
    placeOf({ kind: "identity" }, { kind: "serviceAccount", namespace: "foo", name: "web" }),
    ["identityServiceAccount exact web"],
  ],
  [
    "trust domain",
    placeOf({ kind: "identity" }, { kind: "trustDomain", op: "exact", text: "td" }),
    ["identityTrustDomain exact td"],
  ],
  [
    "trust domain suffix",
    placeOf({ kind: "identity" }, { kind: "trustDomain", op: "star", before: "", after: "d" }),
    ["identityTrustDomain suffix d"],
  ],
  [
    "request principal",
    placeOf(
      { kind: "requestPrincipal" },
      { kind: "requestPrincipal", iss: { op: "present" }, sub: { op: "exact", text: "s" } },
    ),
    ["claim iss present"],
  ],
  ["nothing asked", placesOf(body()), ["always"]],
  [
    "only a negation",
    placesOf(body([[{ ...pathField({ op: "present" }), values: [], notValues: [text("exact", "/a")] }]])),
    ["always"],
  ],
  ["an entry without an anchor", placesOf(body([[pathField({ op: "exact", text: "/a" })], []])), ["always"]],
  [
    "one of two entries",
    placesOf(body([[pathField({ op: "exact", text: "/a" })], [pathField({ op: "exact", text: "/b" })]])),
    ["path exact /a", "path exact /b"],
  ],
];

for (const [name, place, expected] of places) {
  test(`filed under: ${name}`, () => assert.deepEqual(place, expected));
}

test("the rarest condition is taken, of whichever part", () => {
  const common = pathField({ op: "prefix", text: "/" });
  const bodies = Array.from({ length: 10 }, (_, i) =>
    body([[common, { ...pathField({ op: "exact", text: `h${i % 5}` }), attribute: { kind: "host" as const } }]]),
  );
  const selector = { kind: "selector", labels: [["app", "rare"]] } as const;
  const set = assemble([
    policy("many", "allow", bodies, { namespace: "root" }),
    policy("one", "allow", [body([[common]])], { namespace: "bar", attachment: selector }),
    policy("two", "allow", [body([[common]]), body([[common]])], { namespace: "baz" }),
  ]);
  const where = filed(set.index.http);
  const of = (name: string) =>
    set.rules.flatMap(({ policy }, id) => (set.policies[policy]!.name === name ? (where.get(id) ?? []) : []));
  assert.deepEqual(of("one"), ["workloadNamespace exact bar"]);
  assert.deepEqual(of("two"), ["workloadNamespace exact baz", "workloadNamespace exact baz"]);
  assert.ok(of("many").every((place) => place.startsWith("host exact")));
});

test("rules stand in the index of their protocol and stage, and nowhere else", () => {
  const set = assemble([
    { ...policy("a", "allow", []), bodies: [{ http: onPath("/a"), tcp: undefined }] },
    policy("c", "custom", [onPath("/a")], { provider: "x" }),
  ]);
  const ids = (index: RuleIndex) => [...filed(index).keys()];
  assert.deepEqual([ids(set.index.http), ids(set.index.tcp)], [[0], []]);
  assert.deepEqual([ids(set.index.customHttp), ids(set.index.customTcp)], [[1], [1]]);
});

test("equal input gives an equal index, with ids and keys in order, and every rule in it", () => {
  const random = new Random(testSeed("index"));
  for (let i = 0; i < 200; i++) {
    const set = ruleSet(random);
    assert.deepEqual(buildIndexes(structuredClone(set)), set.index);
    for (const [name, index] of Object.entries(set.index)) {
      const custom = name.startsWith("custom");
      const protocol = name.toLowerCase().endsWith("http") ? "http" : "tcp";
      const expected = set.rules.flatMap((rule, id) =>
        rule[protocol] !== undefined && (set.policies[rule.policy]!.stage === "custom") === custom ? [id] : [],
      );
      assert.deepEqual(
        [...filed(index).keys()].sort((a, b) => a - b),
        expected,
      );
      for (const dimension of index.dimensions) assertInOrder(dimension);
    }
  }
});

function assertInOrder({ exact, prefix, suffix, cidr, present }: IndexDimension): void {
  const plain = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  for (const [list, compare] of [
    [exact, plain],
    [prefix, plain],
    [suffix, compareBackwards],
  ] as const) {
    for (let i = 1; i < list.length; i++) assert.ok(compare(list[i - 1]![0], list[i]![0]) < 0);
  }
  for (const ids of [
    ...[exact, prefix, suffix].flat().map(([, rules]) => rules),
    ...cidr.map(({ rules }) => rules),
    present,
  ]) {
    for (let i = 1; i < ids.length; i++) assert.ok(ids[i - 1]! < ids[i]!);
  }
}
