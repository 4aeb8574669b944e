import assert from "node:assert/strict";
import { test } from "node:test";
import { readTestFile } from "#cli/policies/test-file";
import { testFormats } from "#cli/report/tests";
import { type Element, readXml } from "#test/support/cli/read-xml";
import { cli, folderOf, policy } from "#test/support/cli/run-cli";

const policies = `${policy(
  "readers",
  "action: ALLOW, rules: [{ to: [{ operation: { methods: [GET], paths: [/items] } }] }]",
)}---
${policy("watch", "action: AUDIT, rules: [{ to: [{ operation: { paths: [/items] } }] }]")}`;

const key = "ns[shop]-policy[readers]-rule[0]";

/** A test file about namespace `shop`: one caller, two requests. */
function tests(expect: string, more = ""): string {
  return `workload: { namespace: shop, labels: {} }
callers: { anybody: {}, nginx: { principal: cluster.local/ns/web/sa/nginx } }
requests: { read: { path: /items }, write: { path: /items, method: POST } }
${more}expect: [${expect}]
`;
}

const allowed = "{ callers: [anybody, nginx], requests: [read], outcome: allow }";

test("callers x requests: what is listed as it says, what is not must be denied", async (t) => {
  const folder = await folderOf(t, { "p.yaml": policies, "a/shop_test.yaml": tests(allowed) });
  assert.deepEqual(await cli(["test", folder]), { status: 0, out: "4 passed, 0 failed\n", err: "" });
  const open = await folderOf(t, { "p.yaml": policies, "shop_test.yml": tests("") });
  const { status, out } = await cli(["test", open]);
  assert.equal(status, 4);
  assert.ok(out.startsWith(`FAIL ${open}/shop_test.yml (not listed: must be denied): anybody x read\n`), out);
  assert.ok(out.endsWith("2 passed, 2 failed\n"), out);
});

/** Expectations that do not hold, and what is said of them. */
const wrong: readonly (readonly [expectation: string, says: string])[] = [
  ["callers: [anybody], requests: [read], outcome: deny", "outcome: expected `deny`, found `allow`"],
  ["callers: [anybody], requests: [read], outcome: allow, rule: none", `rule: expected \`none\`, found \`${key}\``],
  [
    "callers: [anybody], requests: [write], outcome: deny, reason: policy/denied",
    "reason: expected `policy/denied`, found `policy/not-allowed`",
  ],
  ["callers: [anybody], requests: [write], outcome: deny, status: 401", "status: expected `401`, found `403`"],
  [
    "callers: [anybody], requests: [read], outcome: allow, audit: none",
    "audit: expected `none`, found `ns[shop]-policy[watch]-rule[0]`",
  ],
];

for (const [expectation, says] of wrong) {
  test(`a failed test says: ${says}`, async (t) => {
    const folder = await folderOf(t, {
      "p.yaml": policies,
      "a_test.yaml": tests(`${allowed.replace("anybody, ", "")}, { ${expectation} }`),
    });
    for (const format of testFormats) {
      const { status, out, err } = await cli(["test", folder, "--filter", "anybody", "--format", format]);
      assert.deepEqual([status, err], [4, ""], format);
      assert.ok(told[format](out).includes(says), `${format}: ${out}`);
    }
  });
}

/** The text of a report as its reader reads it. */
const told: Record<(typeof testFormats)[number], (out: string) => string> = {
  text: (out) => out,
  github: (out) => out,
  json: (out) =>
    (JSON.parse(out) as { results: { faults: string[] }[] }).results.flatMap(({ faults }) => faults).join("\n"),
  junit: (out) => failuresOf(readXml(out)).join("\n"),
};

function failuresOf(element: Element): string[] {
  const own = element.name === "failure" ? [element.attributes["message"] ?? ""] : [];
  return [...own, ...element.children.flatMap(failuresOf)];
}

test("a failed test tells what decided, or which rule came nearest and what kept it, by file and line", async (t) => {
  const expect =
    "{ callers: [anybody], requests: [write], outcome: allow }, { callers: [anybody], requests: [read], outcome: deny }";
  const folder = await folderOf(t, {
    "in/p.yaml": policies,
    "a_test.yaml": tests(`${expect}, ${allowed.replace("anybody, ", "")}`),
  });
  const { out } = await cli(["test", folder, "--filter", "anybody"]);
  assert.equal(
    out,
    `FAIL ${folder}/a_test.yaml:4: anybody x read
     outcome: expected \`deny\`, found \`allow\`
     decided by ${key} at ${folder}/in/p.yaml:4
FAIL ${folder}/a_test.yaml:4: anybody x write
     outcome: expected \`allow\`, found \`deny\`
     policy/not-allowed
     nearest: ${key} at ${folder}/in/p.yaml:4
     \`to\` methods: wanted GET, found POST
0 passed, 2 failed
`,
  );
  const annotated = await cli(["test", folder, "--format", "github"]);
  assert.match(
    annotated.out,
    new RegExp(`^::error file=${folder}/a_test\\.yaml,line=4,title=anybody x read::outcome: .*%0Adecided by .*$`, "m"),
  );
});

test("a report in JUnit's form has every pair, names that XML cannot hold included", async (t) => {
  const odd = 'a <b> & "c" \\e[31m ]]>';
  const text = `workload: { namespace: shop, labels: {} }
callers: { "${odd.replaceAll('"', '\\"')}": {} }
requests: { read: { path: /items }, write: { path: /items, method: POST } }
expect: [{ callers: ["${odd.replaceAll('"', '\\"')}"], requests: [write], outcome: allow }]
`;
  const folder = await folderOf(t, { "p.yaml": policies, "a_test.yaml": text });
  const { status, out } = await cli(["test", folder, "--format", "junit"]);
  assert.equal(status, 4);
  const [suite] = readXml(out).children as [Element];
  assert.deepEqual(
    [suite.attributes["name"], suite.attributes["tests"], suite.attributes["failures"]],
    [`${folder}/a_test.yaml`, "2", "2"],
  );
  assert.deepEqual(
    suite.children.map(({ attributes }) => attributes["name"]),
    ["read", "write"].map((request) => `a <b> & "c" \u{fffd}[31m ]]> x ${request}`),
  );
  const plain = await cli(["test", folder]);
  assert.equal(plain.out.includes("\u001b"), false, "nor does it reach a terminal");
});

test("the time of a test file is the clock of its checks", () => {
  const read = (more: string) => readTestFile("a_test.yaml", tests(allowed, more)).file;
  assert.equal(read("now: 2026-01-02T03:04:05.5+01:00\n")?.nowMillis, Date.UTC(2026, 0, 2, 2, 4, 5, 500));
  assert.equal(read("now: 2028-02-29T23:59:59Z\n")?.nowMillis, Date.UTC(2028, 1, 29, 23, 59, 59));
  assert.equal(read("")?.nowMillis, undefined, "that of the run");
});

/** Test files that are not valid: where, and what is said. */
const invalid: readonly (readonly [name: string, text: string, place: string, says: RegExp])[] = [
  [
    "an unknown caller",
    tests("{ callers: [nobody], requests: [read], outcome: allow }"),
    "4:22",
    /`nobody` is not among the callers$/,
  ],
  [
    "an unknown request",
    tests("{ callers: [anybody], requests: [red], outcome: allow }"),
    "4:43",
    /`red` is not among the requests$/,
  ],
  [
    "a pair twice",
    tests(`${allowed}, { callers: [anybody], requests: [read], outcome: deny }`),
    "4:75",
    /`anybody` with `read` is expected twice$/,
  ],
  [
    "a pair twice in one item",
    tests("{ callers: [anybody, anybody], requests: [read], outcome: deny }"),
    "4:10",
    /expected twice$/,
  ],
  ["an unknown key", tests(allowed, "requets: 1\n"), "4:1", /unknown key `requets` .*did you mean `requests`/],
  [
    "an outcome of another kind",
    tests("{ callers: [anybody], requests: [read], outcome: maybe }"),
    "4:59",
    /expected one of/,
  ],
  [
    "no caller in an item",
    tests("{ callers: [], requests: [read], outcome: deny }"),
    "4:21",
    /expected at least one item/,
  ],
  ["a missing key", "callers: {}\nrequests: {}\n", "1:1", /missing key `expect`$/],
  [
    "a reason that no decision has",
    tests("{ callers: [anybody], requests: [write], outcome: deny, reason: policy/not-alowed }"),
    "4:74",
    /expected the reason of a decision, found `policy\/not-alowed` \(did you mean `policy\/not-allowed`\?\)$/,
  ],
  [
    "a reason like none",
    tests("{ callers: [anybody], requests: [write], outcome: deny, reason: because }"),
    "4:74",
    /found `because` \(docs\/faults\.md lists them\)$/,
  ],
  [
    "a time without a month",
    tests(allowed, "now: 2026-13-01T00:00:00Z\n"),
    "4:6",
    /expected a time, found `2026-13-01/,
  ],
  ["a 24th hour", tests(allowed, "now: 2026-01-01T24:00:00Z\n"), "4:6", /expected a time, found `2026-01-01T24/],
  ["a time without a day", tests(allowed, "now: 2026-02-30T00:00:00Z\n"), "4:6", /expected a time, found `2026-02-30/],
  ["a list", "- a\n", "1:1", /expected an object/],
  ["no YAML", "callers: [", "1:", /./],
  ["a name twice", "callers: { a: {}, a: {} }\nrequests: {}\nexpect: []\n", "1:", /./],
];

for (const [name, text, place, says] of invalid) {
  test(`a test file with ${name}: status 3, ${place}`, async (t) => {
    const folder = await folderOf(t, { "p.yaml": policies, "a_test.yaml": text });
    for (const format of testFormats) {
      const { status, out, err } = await cli(["test", folder, "--format", format]);
      assert.deepEqual([status, out], [3, ""], format);
      assert.ok(err.startsWith(`${folder}/a_test.yaml:${place}`), err);
      assert.match(err.trimEnd(), says);
    }
  });
}

const entry = (name: string, namespace: string) => `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}, namespace: ${namespace} }
spec: { address: 10.0.0.1 }
`;

/** Descriptions that reach no policy: all that they test is denied, and no policy did it. */
const unreached: readonly (readonly [workload: string, says: string])[] = [
  [
    "{ namespace: shop, workload: shop-2 }",
    "workload/unknown: no workload named `shop-2` in namespace `shop` (described at A:1; did you mean `shop-1`?)",
  ],
  [
    "{ namespace: shopp, workload: twice }",
    "workload/unknown: no workload named `twice` in namespace `shopp` (described at A:1; did you mean namespace `shop`?)",
  ],
  ["{ workload: elsewhere }", "workload/unknown: no workload named `elsewhere` (described at A:1)"],
  [
    "{ workload: twice }",
    "workload/ambiguous: several workloads named `twice`: shop/twice, web/twice (described at A:1)",
  ],
  [
    "{ namespace: shop }",
    "workload/incomplete: the workload is described by a namespace without labels (described at A:1)",
  ],
];

for (const [workload, says] of unreached) {
  test(`a test of a workload that is not there fails, unless it is meant: ${says}`, async (t) => {
    const folder = await folderOf(t, {
      "p.yaml": `${policies}${entry("shop-1", "shop")}${entry("twice", "shop")}${entry("twice", "web")}`,
      "a_test.yaml": `workload: ${workload}
callers: { anybody: {} }
requests: { read: {}, write: { method: POST } }
expect: [{ callers: [anybody], requests: [read], outcome: deny }]
`,
    });
    const { status, out } = await cli(["test", folder]);
    const path = `${folder}/a_test.yaml`;
    const line = `     no policy was asked: ${says.replace("A:1", `${path}:1`)}\n`;
    assert.equal(
      out,
      `FAIL ${path}:4: anybody x read\n${line}FAIL ${path} (not listed: must be denied): anybody x write\n${line}0 passed, 2 failed\n`,
    );
    assert.equal(status, 4);
    const reason = says.slice(0, says.indexOf(":"));
    const meant = await folderOf(t, {
      "p.yaml": `${policies}${entry("shop-1", "shop")}${entry("twice", "shop")}${entry("twice", "web")}`,
      "a_test.yaml": `callers: { anybody: {} }
requests: { read: { workload: ${workload} } }
expect: [{ callers: [anybody], requests: [read], outcome: deny, reason: ${reason} }]
`,
    });
    assert.deepEqual(await cli(["test", meant]), { status: 0, out: "1 passed, 0 failed\n", err: "" });
  });
}

test("the line of a request's own workload, and of a request that has none", async (t) => {
  const text = `callers: { anybody: {} }
requests:
  own:
    method: GET
    workload: { workload: gone }
  none: {}
expect: []
`;
  const folder = await folderOf(t, { "p.yaml": policies, "a_test.yaml": text });
  const { out } = await cli(["test", folder]);
  assert.match(out, /anybody x own\n {5}no policy was asked: workload\/unknown: .*a_test\.yaml:5\)/);
  assert.match(out, /anybody x none\n {5}no policy was asked: workload\/\w+: .*a_test\.yaml:6\)/);
});

test("no test at all, and a filter that fits none, are wrong usage: they would pass for ever", async (t) => {
  const none = await folderOf(t, { "p.yaml": policies, "test.yaml": "a: 1\n" });
  const nothing = await cli(["test", none]);
  assert.deepEqual([nothing.status, nothing.out], [2, ""]);
  assert.equal(nothing.err, `garita: no *_test.yaml in \`${none}\`\n`);
  const empty = await folderOf(t, { "a_test.yaml": "callers: {}\nrequests: {}\nexpect: []\n" });
  assert.equal((await cli(["test", empty])).status, 2);
  const some = await folderOf(t, { "p.yaml": policies, "a_test.yaml": tests(allowed) });
  for (const filter of ["zzz", "garita-test-"]) {
    const { status, err } = await cli(["test", some, "--filter", filter]);
    assert.deepEqual(
      [status, err],
      [2, `garita: no test fits \`${filter}\`\n`],
      "the folder itself is not filtered by",
    );
  }
  for (const [filter, passed] of [
    ["nginx", 2],
    ["write", 2],
    ["a_test", 4],
  ] as const) {
    assert.equal((await cli(["test", some, "--filter", filter])).out, `${passed} passed, 0 failed\n`, filter);
  }
});

const examples = ["examples/hello/policies", "examples/conditions/policies"];

for (const each of examples) {
  test(`the policies of ${each} compile without a warning`, async () => {
    const { status, out } = await cli(["check", each, "--fail-on", "warning"]);
    assert.equal(status, 0, out);
  });
}

test("without the index the results are the same", async (t) => {
  const folder = await folderOf(t, { "p.yaml": policies, "a_test.yaml": tests("") });
  for (const each of [folder, ...examples]) {
    const plain = await cli(["test", each, "--format", "json"]);
    assert.deepEqual(await cli(["test", each, "--no-index", "--format", "json"]), plain);
  }
});
