import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkloadClaim } from "#authz/check/contract";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import type { FoundWorkload } from "#authz/check/workload/registry";
import { resolveWorkload } from "#authz/check/workload/resolve";
import { type CheckInput, checkMessage } from "../../support/check/check-message.ts";
import { ruleSetOf } from "../../support/check/rule-set.ts";

const ruleSet = ruleSetOf({
  workloads: [
    { namespace: "foo", name: "web-1", labels: [["app", "web"]], serviceAccount: "web", address: "10.0.0.1" },
    { namespace: "foo", name: "web-2", labels: [["app", "web"]], serviceAccount: "web", address: "10.0.0.2" },
    { namespace: "foo", name: "db", labels: [["app", "db"]], serviceAccount: "db", address: "2001:db8::0001" },
    { namespace: "bar", name: "db", labels: [["app", "db"]], serviceAccount: "db", address: "db.example" },
    { namespace: "bar", name: "one", labels: [], serviceAccount: undefined, address: "10.0.0.7" },
    { namespace: "bar", name: "twin", labels: [["v", "1"]], serviceAccount: undefined, address: "10.0.0.7" },
    { namespace: "bar", name: "gw", labels: [["gateway.networking.k8s.io/gateway-name", "g"]] },
  ],
});

function resolve(input: CheckInput, listener?: WorkloadClaim, rules = ruleSet): FoundWorkload {
  const decoded = decodeCheckRequest(checkMessage(input));
  assert.ok(decoded.ok);
  return resolveWorkload(rules, decoded.request, listener);
}

/** `namespace/name kind {labels}`, or the reason of the refusal. */
function shown(found: FoundWorkload): string {
  if (!found.ok) return found.reason;
  const { namespace, name, kind, labels, gateway, service } = found.workload;
  const more = [gateway && `gateway=${gateway}`, service && `service=${service.namespace}/${service.name}`].filter(
    Boolean,
  );
  return [`${namespace}/${name ?? "-"}`, kind, JSON.stringify(Object.fromEntries(labels)), ...more].join(" ");
}

/** `{workload: "x"}` as the keys that Envoy sends. */
const keys = (claim: Record<string, string>) =>
  Object.fromEntries(Object.entries(claim).map(([key, value]) => [`garita.dev/${key}`, value]));

const G = '{"gateway.networking.k8s.io/gateway-name":"g"}';

test("a claim names an entry or describes a workload completely", () => {
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ workload: "web-1" }, 'foo/web-1 sidecar {"app":"web"}'],
    [{ workload: "db" }, "workload/ambiguous"],
    [{ workload: "db", namespace: "bar" }, 'bar/db sidecar {"app":"db"}'],
    [{ workload: "web-1", namespace: "bar" }, "workload/unknown"],
    [{ workload: "none" }, "workload/unknown"],
    [{ workload: "web-1", kind: "gateway" }, 'foo/web-1 gateway {"app":"web"}'],
    [{ namespace: "foo", labels: '{"a":"b"}' }, 'foo/- sidecar {"a":"b"}'],
    [{ namespace: "foo", labels: "{}" }, "foo/- sidecar {}"],
    [{ namespace: "nowhere", labels: "{}" }, "nowhere/- sidecar {}"],
    [{ namespace: "foo" }, "workload/incomplete"],
    [{ labels: "{}" }, "workload/incomplete"],
    [{ kind: "gateway" }, "workload/incomplete"],
    [{ workload: "" }, "workload/incomplete"],
    [{ workload: "web-1", kind: "router" }, "workload/incomplete"],
    ...["", "x", "[]", "null", '{"a":1}', '{"a":null}', '"x"'].map(
      (labels) => [{ namespace: "foo", labels }, "workload/incomplete"] as const,
    ),
    [{ namespace: "foo", labels: "{}", kind: "k8s-gateway", gateway: "g" }, `foo/- k8s-gateway ${G} gateway=g`],
    [{ namespace: "foo", labels: G, kind: "k8s-gateway" }, `foo/- k8s-gateway ${G} gateway=g`],
    [{ workload: "gw", kind: "k8s-gateway" }, `bar/gw k8s-gateway ${G} gateway=g`],
    [{ namespace: "foo", labels: G, kind: "k8s-gateway", gateway: "h" }, "workload/incomplete"],
    [{ namespace: "foo", labels: "{}", kind: "k8s-gateway" }, "workload/incomplete"],
    [
      { namespace: "foo", labels: "{}", kind: "waypoint", gateway: "g", service: "bar/s" },
      `foo/- waypoint ${G} gateway=g service=bar/s`,
    ],
    [{ namespace: "foo", labels: "{}", kind: "waypoint", gateway: "g" }, "workload/incomplete"],
    ...["s", "/s", "a/", "a/b/c"].map(
      (service) =>
        [{ namespace: "foo", labels: "{}", kind: "waypoint", gateway: "g", service }, "workload/incomplete"] as const,
    ),
  ];
  for (const [claim, expected] of cases) {
    assert.equal(shown(resolve({ extensions: keys(claim) })), expected, JSON.stringify(claim));
    assert.equal(shown(resolve({ tcp: true, destination: { labels: keys(claim) } })), expected, JSON.stringify(claim));
  }
});

test("labels may hold any characters, and a prototype's name is a label like another", () => {
  const found = resolve({ extensions: keys({ namespace: "foo", labels: '{"__proto__":"x","ü":"é"}' }) });
  assert.ok(found.ok);
  assert.deepEqual(
    [...found.workload.labels],
    [
      ["__proto__", "x"],
      ["ü", "é"],
    ],
  );
});

test("the first source that says anything counts alone", () => {
  const extensions = keys({ namespace: "ext", labels: "{}" });
  const labels = keys({ namespace: "lab", labels: "{}" });
  const listener: WorkloadClaim = { namespace: "lis", labels: new Map() };
  const destination = { labels, principal: "spiffe://td/ns/foo/sa/db", address: "10.0.0.1" };
  const { labels: _labels, ...connection } = destination;
  const { principal: _principal, ...address } = connection;
  assert.equal(shown(resolve({ extensions, destination }, listener)), "ext/- sidecar {}");
  assert.equal(shown(resolve({ destination }, listener)), "lab/- sidecar {}");
  assert.equal(shown(resolve({ destination: connection }, listener)), "lis/- sidecar {}");
  assert.equal(shown(resolve({ destination: connection })), 'foo/db sidecar {"app":"db"}');
  assert.equal(shown(resolve({ destination: address })), 'foo/web-1 sidecar {"app":"web"}');
  assert.equal(shown(resolve({ extensions: keys({ kind: "gateway" }), destination }, listener)), "workload/incomplete");
  assert.equal(shown(resolve({ extensions: { other: "x" }, destination }, listener)), "lab/- sidecar {}");
});

test("without a claim the local identity, then the local address, is looked up", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["spiffe://td/ns/bar/sa/db", "9.9.9.9", 'bar/db sidecar {"app":"db"}'],
    ["spiffe://other/ns/foo/sa/db", "9.9.9.9", 'foo/db sidecar {"app":"db"}'],
    ["spiffe://td/ns/foo/sa/web", "10.0.0.2", 'foo/web-2 sidecar {"app":"web"}'],
    ["spiffe://td/ns/foo/sa/web", "9.9.9.9", "workload/ambiguous"],
    ["spiffe://td/ns/foo/sa/web", "2001:db8::1", "workload/ambiguous"],
    ["spiffe://td/ns/foo/sa/db", "10.0.0.1", 'foo/db sidecar {"app":"db"}'],
    ["spiffe://td/ns/foo/sa/none", "10.0.0.1", 'foo/web-1 sidecar {"app":"web"}'],
    ["spiffe://td/ns/foo/sa/db/x", "9.9.9.9", "workload/unknown"],
    ["foo.example", "2001:DB8:0::1", 'foo/db sidecar {"app":"db"}'],
    ["", "10.0.0.7", "workload/ambiguous"],
    ["", "9.9.9.9", "workload/unknown"],
    ["", "db.example", "workload/unknown"],
  ];
  for (const [principal, address, expected] of cases)
    assert.equal(shown(resolve({ destination: { principal, address } })), expected, `${principal} ${address}`);
});

test("an inline endpoint is found by its address only at its own ports", () => {
  const address = "127.0.0.1";
  const endpoint = { namespace: "shop", serviceAccount: undefined, address };
  const rules = ruleSetOf({
    workloads: [
      { ...endpoint, name: "web/0", ports: [8080, 8081], serviceAccount: "web" },
      { ...endpoint, name: "api/0", ports: [8081, 8082] },
      { ...endpoint, name: "authz/0", ports: [] },
      { ...endpoint, name: "entry", address: "127.0.0.2", ports: undefined },
    ],
  });
  const at = (port: number, more: CheckInput["destination"] = {}) =>
    shown(resolve({ destination: { principal: "", address, port, ...more } }, undefined, rules));
  assert.equal(at(8080), "shop/web/0 sidecar {}");
  assert.equal(at(8082), "shop/api/0 sidecar {}");
  assert.equal(at(8081), "workload/ambiguous");
  for (const port of [0, 80, 9000]) assert.equal(at(port), "workload/unknown", `${port}`);
  assert.equal(at(9000, { address: "127.0.0.2" }), "shop/entry sidecar {}");
  assert.equal(at(9000, { principal: "spiffe://td/ns/shop/sa/web" }), "shop/web/0 sidecar {}");
});

test("what is not found by the connection says how a workload is named", () => {
  const cases = [
    ["", "10.0.0.7", "several workloads at address `10.0.0.7`, port 8080: bar/one, bar/twin"],
    ["", "9.9.9.9", "no workload at address `9.9.9.9`, port 8080"],
    [
      "spiffe://td/ns/foo/sa/web",
      "9.9.9.9",
      "several workloads of identity `spiffe://td/ns/foo/sa/web`: foo/web-1, foo/web-2",
    ],
  ] as const;
  const hint = "set context_extensions garita.dev/workload, or the listener's workload";
  for (const [principal, address, detail] of cases) {
    const found = resolve({ destination: { principal, address, port: 8080 } });
    assert.equal(found.ok ? undefined : found.detail, `${detail}; ${hint}`);
  }
});

test("equal questions give the same workload object, so that views are found by it", () => {
  const listener: WorkloadClaim = { namespace: "lis", labels: new Map() };
  for (const [input, claim] of [
    [{ extensions: keys({ workload: "web-1" }) }, undefined],
    [{}, listener],
    [{ destination: { address: "10.0.0.2" } }, undefined],
  ] as const) {
    const first = resolve(input, claim);
    const second = resolve(input, claim);
    assert.ok(first.ok && second.ok);
    assert.equal(first.workload, second.workload);
  }
});

test("an ambiguous answer names a few of the candidates, for the log", () => {
  const found = resolve({ extensions: keys({ workload: "db" }) });
  assert.deepEqual(found, {
    ok: false,
    reason: "workload/ambiguous",
    detail: "several workloads named `db`: foo/db, bar/db",
  });
});
