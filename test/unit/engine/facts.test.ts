import assert from "node:assert/strict";
import { test } from "node:test";
import { type PeerNames, type RequestAttributes, UNKNOWN, type Workload } from "#authz/engine/attributes";
import { AttributeFacts } from "#authz/engine/conditions/facts";
import { remedyForNamed } from "#authz/engine/remedies";
import { attributes } from "#policy-compiler/conditions/attributes";
import { compileCondition } from "#policy-compiler/conditions/compile";
import type { ConditionResult } from "#policy-compiler/conditions/contract";
import { absent, http, over } from "#test/support/generate/requests";

const app: Workload = {
  namespace: "foo",
  name: "app",
  labels: new Map([["app", "web"]]),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

const line = (...lines: string[]) => ({ lines, joined: false });

/** A request that brought everything. */
const whole: RequestAttributes = {
  ...http(
    {
      method: "POST",
      host: "Shop.example:8443",
      path: "/a/b",
      target: "/a/b?q=1&q=2",
      scheme: "https",
      protocol: "HTTP/2",
      size: 12,
    },
    new Map([
      [":path", line("/a/b?q=1&q=2")],
      ["x-role", line("admin", "dev")],
    ]),
  ),
  peerAddress: { bytes: [10, 0, 0, 9] },
  peerPort: 50_000,
  remoteAddress: { bytes: [192, 0, 2, 7] },
  destinationAddress: { bytes: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
  destinationPort: 8443,
  destinationPrincipal: "spiffe://td/ns/foo/sa/app",
  peer: { names: ["spiffe://td/ns/web/sa/nginx", "dns.example"], opaque: [], complete: true },
  sni: "shop.example",
  tls: true,
  claims: { iss: "https://iss", groups: ["admins"] },
  tokens: [{ iss: "https://other" }, { iss: "https://iss", groups: ["admins"] }],
  nowMillis: Date.parse("2026-07-28T09:30:00Z"),
};

function evaluate(text: string, request: RequestAttributes, beforeTokens = false): ConditionResult {
  const compiled = compileCondition(text, { beforeTokens: false });
  assert.ok(compiled.ok, text);
  return compiled.condition.evaluate(new AttributeFacts(request, app, beforeTokens));
}

const holds: readonly string[] = [
  'request.method == "POST"',
  'request.host == "Shop.example:8443"',
  'request.path == "/a/b" && request.target == "/a/b?q=1&q=2"',
  'request.query["q"] == ["1", "2"]',
  'request.scheme == "https" && request.protocol == "HTTP/2" && request.size == 12',
  'request.headers["x-role"] == "admin,dev"',
  'request.headerLines["x-role"] == ["admin", "dev"]',
  "request.headers.size() == 1",
  'source.address == "10.0.0.9" && source.port == 50000 && remote.address == "192.0.2.7"',
  'source.principal == "td/ns/web/sa/nginx" && source.namespace == "web" && source.serviceAccount == "nginx"',
  'destination.address == "fd00::1" && destination.port == 8443 && destination.namespace == "foo"',
  'connection.sni == "shop.example" && connection.tls',
  'workload.namespace == "foo" && workload.name == "app" && workload.labels["app"] == "web"',
  '"admins" in claims.groups && tokens[0].iss == "https://other" && tokens.size() == 2',
  'now == timestamp("2026-07-28T09:30:00Z")',
];

for (const text of holds) {
  test(`facts of a request: ${text}`, () => {
    assert.deepEqual(evaluate(text, whole), { value: true });
    const bare = evaluate(text, { ...absent, tls: UNKNOWN });
    if (/workload|^now/.test(text)) return;
    assert.notEqual(bare.value, true, "a connection of which nothing is there");
  });
}

/** An expression that is true of nothing but what was looked at: what reading one attribute comes to. */
const reading = (name: string) => attributes.find((row) => row.name === name)!.example;

const everythingUnknown: RequestAttributes = {
  ...over({ claims: UNKNOWN, tokens: UNKNOWN, tls: UNKNOWN, sni: UNKNOWN, peer: UNKNOWN }),
  peerAddress: UNKNOWN,
  peerPort: UNKNOWN,
  remoteAddress: UNKNOWN,
  destinationAddress: UNKNOWN,
  destinationPort: UNKNOWN,
  destinationPrincipal: UNKNOWN,
};

for (const { name } of attributes) {
  if (name.startsWith("workload.") || name === "now") continue;
  test(`${name}: unknown where the request did not bring it, and what would is told`, () => {
    const result = evaluate(reading(name), everythingUnknown);
    assert.deepEqual(result, { fault: { code: "condition/unknown-attribute", attribute: name } });
    assert.ok((remedyForNamed(name) ?? "").length > 10);
  });
}

test("claims are unknown before tokens were looked at, and absent where there was none", () => {
  for (const text of ["claims.size() == 0", "tokens.size() == 0"]) {
    const attribute = text.split(".")[0]!;
    assert.deepEqual(evaluate(text, whole, true), { fault: { code: "condition/unknown-attribute", attribute } });
    assert.deepEqual(evaluate(text, http({}), false), { value: true });
  }
});

test("the principal is the first URI name, and unknown where another may come before it", () => {
  const is = (peer: PeerNames) => evaluate('source.principal == "td/ns/a/sa/b"', over({ peer }));
  const name = "spiffe://td/ns/a/sa/b";
  const known = { opaque: [], complete: true };
  assert.deepEqual(is({ ...known, names: [name] }), { value: true });
  assert.deepEqual(is({ ...known, names: [name, "spiffe://td/ns/c/sa/d", "CN=x"] }), { value: true });
  assert.deepEqual(is({ ...known, names: ["spiffe://td/ns/c/sa/d", name] }), { value: false });
  assert.deepEqual(is({ ...known, names: [name], opaque: ["a.example,b.example"] }), { value: true });
  assert.equal(is({ ...known, names: ["dns.example"] }).value, undefined);
  const unknown = { fault: { code: "condition/unknown-attribute", attribute: "source.principal" } };
  assert.deepEqual(is({ ...known, names: [], opaque: [`${name},spiffe://td/x`] }), unknown);
  assert.deepEqual(is({ ...known, names: [name], opaque: [`spiffe://td/x,${name}`] }), unknown);
  assert.deepEqual(is({ names: ["dns.example"], opaque: [], complete: false }), unknown);
  assert.deepEqual(is({ names: [name], opaque: [], complete: false }), { value: true });
});

test("business hours follow the clock of the check alone, in UTC", () => {
  const text = "now.getDayOfWeek() in [1, 2, 3, 4, 5] && now.getHours() >= 8 && now.getHours() < 18";
  const at = (time: string) => evaluate(text, { ...absent, nowMillis: Date.parse(time) }).value;
  const times: readonly [time: string, open: boolean][] = [
    ["2026-07-28T07:59:59.999Z", false],
    ["2026-07-28T08:00:00Z", true],
    ["2026-07-28T17:59:59.999Z", true],
    ["2026-07-28T18:00:00Z", false],
    ["2026-07-28T09:30:00+02:00", false],
    ["2026-07-26T10:00:00Z", false],
    ["2026-07-25T10:00:00Z", false],
    ["2026-07-27T10:00:00Z", true],
  ];
  for (const [time, open] of times) assert.equal(at(time), open, time);
});
