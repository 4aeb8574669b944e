import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { RequestDescription } from "#cli/request/description";
import { explainRequest } from "#cli/request/explain-request";
import { cli, folderOf } from "#test/support/cli/run-cli";
import { runService } from "#test/support/service/run-service";

const policies = `apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: hours, namespace: shop }
spec:
  action: DENY
  rules:
  - to: [{ operation: { paths: ["/admin*"], ports: ["8080"] } }]
    cel:
    - now.getHours() < 8 || now.getHours() >= 18
    denyResponse:
      status: 423
      headers: { x-office: closed }
      body: { cel: '"come back, it is " + string(now.getHours()) + " o''clock"' }
---
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: tenants, namespace: shop }
spec:
  rules:
  - cel:
    - request.headers["x-tenant"] in ["red", "blue"]
    - |
      request.headers["authorization"].startsWith("Bearer ")
      && request.path != "/private"
    allowResponse:
      requestHeaders: { x-color: { cel: 'request.headers["x-tenant"].lowerAscii()' } }
      responseHeaders: { cache-control: no-store }
`;

const shop = ["-n", "shop", "--no-labels"];
const tenant = (name: string) => ["-H", `x-tenant: ${name}`, "-H", "authorization: Bearer sesame-sesame"];

async function folder(t: TestContext): Promise<string> {
  return folderOf(t, { "p.yaml": policies });
}

test("eval shows every condition of the rule that decided, its parts and their values, and no secret", async (t) => {
  const at = await folder(t);
  const { status, out, err } = await cli(["eval", at, ...shop, ...tenant("red"), "--path", "/a"]);
  assert.deepEqual([status, err], [0, ""]);
  const lines = out.split("\n");
  assert.match(lines[0]!, /^allow {2}200 {2}policy\/allowed {2}garita-ns\[shop\]-policy\[tenants\]-rule\[0\]/);
  assert.ok(
    lines.some((line) => line.startsWith('  cel `request.headers["x-tenant"] in') && line.endsWith(": true")),
    out,
  );
  assert.ok(
    lines.some((line) => /^ +request\.headers\["x-tenant"\] = "?red"?$/.test(line)),
    out,
  );
  assert.ok(
    lines.some((line) => /^ +request\.headers\["authorization"\]\.startsWith\("Bearer "\) = true$/.test(line)),
    out,
  );
  assert.doesNotMatch(out, /sesame/);
});

test("an ALLOW miss shows the conditions of the rules that came nearest, and the code of one without a value", async (t) => {
  const at = await folder(t);
  for (const command of ["eval", "explain"]) {
    for (const index of [[], ["--no-index"]]) {
      const wrong = await cli([command, at, ...shop, ...tenant("green"), ...index]);
      assert.match(wrong.out, /policy\/not-allowed/);
      assert.match(wrong.out, /cel `request\.headers\["x-tenant"\] in \["red", "blue"\]` \(.*p\.yaml:\d+\): false/);
      assert.match(wrong.out, /: true\n/);
      const none = await cli([command, at, ...shop, ...index]);
      assert.match(none.out, /: unknown \(condition\/error\)/);
      assert.match(
        none.out,
        /conditions without a value:\n {2}garita-ns\[shop\]-policy\[tenants\]-rule\[0\] .*: condition\/error/,
      );
      assert.doesNotMatch(wrong.out + none.out, /sesame/);
    }
  }
});

test("JSON has the same, and without the index nothing differs", async (t) => {
  const at = await folder(t);
  for (const [name, args] of [
    ["allowed", tenant("blue")],
    ["missed", []],
    ["a connection", ["--tcp", "--local", "127.0.0.1:9999"]],
  ] as const) {
    for (const command of ["eval", "explain"]) {
      const [indexed, linear] = await Promise.all(
        [[], ["--no-index"]].map((more) => cli([command, at, ...shop, ...args, ...more, "--format", "json"])),
      );
      assert.deepEqual(linear, indexed, name);
      const said = JSON.parse(indexed!.out);
      const shown =
        name === "allowed"
          ? said.conditions
          : said.nearest.flatMap((near: { conditions: unknown[] }) => near.conditions);
      if (name === "a connection") assert.equal(said.outcome, "deny");
      assert.equal(shown.length, 2, name);
      assert.deepEqual(
        Object.keys(shown[0]).sort(),
        [
          "origin",
          "result",
          "text",
          "trace",
          ...(shown[0].result === "unknown" ? ["fault"] : []),
          ...(name === "a connection" ? ["attribute"] : []),
        ].sort(),
      );
      assert.ok(shown[0].origin.file.startsWith(at), shown[0].origin.file);
      assert.ok(shown[0].trace.length > 1);
    }
  }
});

test("a running service explains conditions as the folder does", async (t) => {
  const at = await folderOf(t, {
    "policies/p.yaml": policies,
    "garita.yaml": `listeners: [{ name: grpc, protocol: grpc, address: "127.0.0.1:0" }]
policies: { directory: policies }
admin: { address: "127.0.0.1:0" }
`,
  });
  const { service } = await runService(t, join(at, "garita.yaml"), {
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
    explain: (description, checks) => explainRequest(description as RequestDescription, checks),
  });
  const admin = `http://${service.adminAddresses()[0]}`;
  for (const args of [tenant("red"), tenant("green"), []]) {
    const here = await cli(["explain", `${at}/policies`, ...shop, ...args, "--format", "json"]);
    const there = await cli(["explain", "--admin", admin, ...shop, ...args, "--format", "json"]);
    assert.deepEqual(JSON.parse(there.out), JSON.parse(here.out.replaceAll(`${at}/policies/`, "")));
  }
});

const tests = (now: string, expect: string) => `workload: { namespace: shop, labels: {} }
now: "${now}"
callers: { anybody: {} }
requests:
  admin: { path: /admin, headers: ["x-tenant: RED"] }
  shop: { path: /a, headers: ["x-tenant: red", "authorization: Bearer a", "x-color: mine"] }
expect:
${expect}
`;

const open =
  "- { callers: [anybody], requests: [shop], outcome: allow, requestHeaders: { x-color: red }, headers: { cache-control: no-store } }";
const closed = `- callers: [anybody]
  requests: [admin]
  outcome: deny
  rule: "garita-ns[shop]-policy[hours]-rule[0]"
  status: 423
  headers: { X-Office: closed }
  body: come back, it is 7 o'clock`;

test("policy tests cover conditions, the clock and what rules answer", async (t) => {
  const at = await folderOf(t, {
    "p.yaml": policies,
    "closed_test.yaml": tests("2026-07-28T07:59:59Z", `${open}\n${closed}`),
    "open_test.yaml": tests(
      "2026-07-28T08:00:00Z",
      `${open}\n- { callers: [anybody], requests: [admin], outcome: deny, reason: policy/not-allowed, status: 403 }`,
    ),
  });
  assert.deepEqual(await cli(["test", at]), { status: 0, out: "4 passed, 0 failed\n", err: "" });
});

/** Expectations that do not hold, and what is said of them. */
const wrong: readonly (readonly [expect: string, says: RegExp])[] = [
  [closed.replace("423", "403"), /status: expected `403`, found `423`/],
  [closed.replace("closed }", "open }"), /headers X-Office: expected `open`, found `closed`/],
  [closed.replace("X-Office", "x-other"), /headers x-other: expected `closed`, found none/],
  [closed.replace("7 o'clock", "8"), /body: expected `come back, it is 8`, found `come back, it is 7 o'clock`/],
  [open.replace("x-color: red", "x-color: mine"), /requestHeaders x-color: expected `mine`, found `red`/],
  [open.replace("outcome: allow", "outcome: deny"), /decided by garita-ns\[shop\]-policy\[tenants\]-rule\[0\]/],
  [closed.replace("deny", "allow"), /cel `now\.getHours\(\) < 8 \|\| now\.getHours\(\) >= 18` \(.*p\.yaml:9\): true/],
];

for (const [expect, says] of wrong) {
  test(`a policy test that fails says ${says}`, async (t) => {
    const others = expect.includes("admin") ? open : closed;
    const at = await folderOf(t, {
      "p.yaml": policies,
      "a_test.yaml": tests("2026-07-28T07:00:00Z", `${others}\n${expect}`),
    });
    const { status, out } = await cli(["test", at]);
    assert.equal(status, 4, out);
    assert.match(out, says);
    assert.match(out, /1 passed, 1 failed/);
  });
}
