import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createGrpcCheck } from "#authz/check/check";
import { editRequest, type RequestEdits } from "#authz/custom/edit-request";
import { type CheckInput, checkMessage, listenerOf, metadataOf, seeAnswer } from "../../support/check/check-message.ts";
import { stagesOf, tokenOf } from "../../support/check/stages.ts";

/**
 * What was decided on is what the upstream gets: the request that an allowing answer makes, asked about again by the same policies without
 * the stages before them, is allowed too, and one that they would deny was denied.
 */
const rules = (kind: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${kind.toLowerCase()}, namespace: foo }
spec:
  action: ${kind}
  rules:`;
const policies = `${rules("ALLOW")}
    - when: [{ key: "request.headers[x-a]", values: ["1", "1,2", "é"] }]
    - when: [{ key: "request.headers[x-b]", notValues: ["1"] }, { key: "request.headers[authorization]", notValues: ["*"] }]
    - to: [{ operation: { paths: ["/a", "/b*"], methods: [GET, PUT] } }]
---${rules("DENY")}
    - to: [{ operation: { hosts: [b.example] } }]
    - to: [{ operation: { paths: ["/b/deny"] } }]
    - when: [{ key: "request.headers[x-b]", values: ["1,2", "2"] }]
---`;
const before = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec:
  jwtRules:
    - { issuer: i, jwksUri: "http://i/k", outputClaimToHeaders: [{ header: X-A, claim: a }] }
    - { issuer: j, jwksUri: "http://j/k", fromHeaders: [{ name: x-b }], fromParams: [t], outputClaimToHeaders: [{ header: x-b, claim: a }] }
---${rules("CUSTOM")}
    - to: [{ operation: { notMethods: [HEAD] } }]
  provider: { name: opa }
---`;

const values = ["", "1", "2", "1,2", "é", "\u00e9\u00ff", tokenOf({ iss: "j", a: "1" })] as const;
const value = fc.constantFrom(...values.map((text) => Buffer.from(text).toString("latin1")));
const bearer = fc.constantFrom("i", "j").chain((iss) => value.map((a) => `Bearer ${tokenOf({ iss, a: text(a) })}`));
const line = fc.oneof(
  fc.tuple(fc.constantFrom("x-a", "x-b", "x-c", "cookie"), value),
  fc.tuple(fc.constant("authorization"), bearer),
);
const target = fc.constantFrom("/a", "/b/c", "/b/deny", "/c", `/a?t=${tokenOf({ iss: "j", a: "1" })}&u=1`, "/a?u");
const edited = fc.oneof(
  fc.tuple(fc.constantFrom("x-a", "X-B", "x-c", "x-d", "Authorization"), value),
  fc.tuple(fc.constantFrom("host", ":authority"), fc.constantFrom("a.example", "b.example")),
  fc.tuple(fc.constant(":method"), fc.constantFrom("GET", "POST", "OPTIONS")),
  fc.tuple(fc.constant(":path"), target),
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD", "OPTIONS"),
  path: target,
  host: fc.constantFrom("a.example", "b.example"),
  headers: fc.array(line, { maxLength: 6 }),
});
const edits: fc.Arbitrary<RequestEdits> = fc.record({
  set: fc.array(edited, { maxLength: 3 }),
  append: fc.array(fc.tuple(fc.constantFrom("x-a", "x-b", "x-e"), value), { maxLength: 2 }),
  remove: fc.array(fc.constantFrom("x-a", "X-b", "x-c", "host", ":path"), { maxLength: 2 }),
  setQuery: fc.array(fc.tuple(fc.constantFrom("t", "u"), fc.constantFrom("1", "2")), { maxLength: 1 }),
  removeQuery: fc.array(fc.constantFrom("t", "u"), { maxLength: 1 }),
});

const seed = Number(process.env["GARITA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

function text(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

async function ask(environment: ReturnType<typeof stagesOf>, input: CheckInput) {
  const check = createGrpcCheck(environment);
  const listener = listenerOf({ workload: { namespace: "foo", labels: new Map() } });
  const { response, record } = await check(checkMessage(input), metadataOf(), listener);
  return { seen: seeAnswer(response), record };
}

/** The request as Envoy forwards it after an allowing answer. */
function forwarded(
  input: Required<Pick<CheckInput, "method" | "path" | "host" | "headers">>,
  seen: ReturnType<typeof seeAnswer>,
) {
  let { method, path, host } = input;
  let headers = input.headers.map(([name, its]): [string, string] => [name, its]);
  const begun = new Set<string>();
  for (const entry of seen.headers) {
    const at = entry.indexOf(": ", 1);
    const name = entry.slice(0, at);
    const its = Buffer.from(entry.slice(at + 2)).toString("latin1");
    if (name === ":path") path = its;
    else if (name === ":method") method = its;
    else if (name === ":authority") host = its;
    else {
      if (!begun.has(name)) headers = headers.filter(([other]) => other !== name);
      begun.add(name);
      headers.push([name, its]);
    }
  }
  headers = headers.filter(([name]) => !seen.remove.includes(name));
  return { method, path, host, headers };
}

test("an allowing answer makes the request that was decided on", async () => {
  const alone = stagesOf(policies);
  let allowedCount = 0;
  await fc.assert(
    fc.asyncProperty(request, edits, fc.boolean(), fc.boolean(), async (input, wanted, provided, joined) => {
      const whole = stagesOf(`${before}${policies}`, {
        answer({ http }) {
          const result = provided ? editRequest(http!.request, wanted) : { ok: true as const, request: undefined };
          assert.ok(result.ok);
          return { kind: "allowed", request: result.request, responseHeaders: [], failedOpen: undefined };
        },
      });
      const { seen, record } = await ask(whole, { ...input, joined });
      assert.notEqual(record.decision.reason, "internal/defect", record.detail);
      if (!seen.allowed) return;
      allowedCount++;
      const again = await ask(alone, forwarded(input, seen));
      assert.ok(again.seen.allowed, `${again.record.decision.reason} ${again.record.decision.rule?.key}`);
    }),
    { seed, numRuns: 3000 },
  );
  assert.ok(allowedCount > 300, `${allowedCount} allowed`);
});
