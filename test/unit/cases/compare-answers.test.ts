import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { CaseAnswer, Expectation, Setting } from "#test/support/cases/case";
import { differences, wantedOf } from "#test/support/cases/compare-answers";

const allow = { decision: "allow", status: 200, body: null } as const;
const view = (path: string, set: readonly (readonly [string, string])[] = [], removed: readonly string[] = []) => ({
  decision: "allow" as const,
  upstream: { path, set, removed },
});

/** Wanted, got, the fields that differ. */
const comparisons: readonly (readonly [string, Partial<CaseAnswer>, Partial<CaseAnswer>, readonly string[]])[] = [
  ["equal", { ...allow, rule: "r" }, { ...allow, rule: "r" }, []],
  ["a rule that is null is not one that is missing", { rule: null }, {}, ["rule"]],
  ["another status and body", { status: 403, body: "" }, { status: 401, body: "x" }, ["status", "body"]],
  ["what was not wanted may be anything", { decision: "deny" }, { decision: "deny", status: 1, audit: true }, []],
  ["header names have no case", { headers: { "A-b": "1" } }, { headers: { "a-B": "1" } }, []],
  ["a header more", { headers: {} }, { headers: { a: "1" } }, ["headers"]],
  ["a header's value", { headers: { a: "1" } }, { headers: { a: "2" } }, ["headers"]],
  [
    "order of keys",
    { dryRun: { allow: { result: "allowed", rule: "a" } } },
    { dryRun: { allow: { rule: "a", result: "allowed" } } },
    [],
  ],
  [
    "dry run",
    { dryRun: { deny: { result: "denied", rule: "a" } } },
    { dryRun: { deny: { result: "denied", rule: "b" } } },
    ["dryRun"],
  ],
  ["audit", { audit: false }, { audit: true }, ["audit"]],
  ["the path as it is", view("/a%2f"), view("/a%2F"), ["upstream"]],
  ["the query decoded and sorted", view("/a?b=%41&c="), view("/a?c&b=A"), []],
  ["no query is not an empty one", view("/a"), view("/a?"), ["upstream"]],
  [
    "order of edits",
    view("/", [
      ["a", "1"],
      ["b", "2"],
    ]),
    view("/", [
      ["B", "2"],
      ["A", "1"],
    ]),
    [],
  ],
  [
    "lines of one name equal one joined line",
    view("/", [
      ["a", "1"],
      ["A", "2"],
    ]),
    view("/", [["a", "1,2"]]),
    [],
  ],
  ["an edit more", view("/"), view("/", [["a", ""]]), ["upstream"]],
  ["order and case of removals", view("/", [], ["a", "B"]), view("/", [], ["b", "A"]), []],
  ["a removal less", view("/", [], ["a"]), view("/"), ["upstream"]],
];

for (const [says, wanted, got, fields] of comparisons) {
  test(says, () => {
    const found = differences(wanted, { name: "x", decision: "allow", ...got });
    deepEqual(
      found.map(({ field }) => field),
      fields,
    );
  });
}

const http = { path: "/" };
/** A case, what has to be answered; undefined: nothing. */
const expectations: readonly (readonly [
  string,
  { expect: Expectation; request?: object; connection?: object; allowInvalid?: boolean },
  object | undefined,
])[] = [
  [
    "answers of the front end",
    { request: http, expect: { decision: "deny", status: 400, details: "http1.codec_error" } },
    undefined,
  ],
  ["refused policies", { allowInvalid: true, request: http, expect: { decision: "allow" } }, undefined],
  [
    "refused configuration",
    { request: http, expect: { decision: "config-error", details: "x" } },
    { decision: "invalid" },
  ],
  ["TCP behind PROXY protocol", { connection: { proxyIp: "1.1.1.1" }, expect: { decision: "allow" } }, undefined],
  [
    "HTTP behind PROXY protocol",
    { request: http, connection: { proxyIp: "1.1.1.1" }, expect: { decision: "allow", status: 200 } },
    { decision: "allow", status: 200 },
  ],
  [
    "closed without a reply",
    { request: http, expect: { decision: "deny", status: null, rule: null } },
    { decision: "deny" },
  ],
  [
    "no filter chain on TCP",
    { expect: { decision: "deny", rule: null, details: "filter_chain_not_found" } },
    { decision: "deny" },
  ],
  ["denied on TCP", { expect: { decision: "deny", rule: "none" } }, { decision: "deny", rule: "none" }],
  ["validation", { expect: { valid: false } }, { decision: "invalid" }],
];

for (const [says, line, wanted] of expectations) {
  test(`wanted: ${says}`, () => {
    const setting: Setting = line.allowInvalid === undefined ? {} : { allowInvalid: line.allowInvalid };
    const { allowInvalid: _, ...rest } = line;
    deepEqual(wantedOf({ type: "request", case: { name: "x", ...rest }, setting }), wanted);
  });
}
