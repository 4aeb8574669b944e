import assert from "node:assert/strict";
import { test } from "node:test";
import { askHttp } from "#test/support/ca/ask-http";
import { openDoor } from "#test/support/ca/doors";
import { fakeRecord } from "#test/support/ca/fake-authority";

const at = "2030-01-01T00:00:00.000Z";
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const { spiffeId } = fakeRecord;

const holds = [
  { kind: "certificate", spiffeId, serial: "0a1b", until: at },
  { kind: "stream", spiffeId, node: "web-1", message: "no\nroom" },
  { kind: "time", until: at },
];
const rotation = {
  roots: [{ keyId: "ab", subject: "O=cluster.local,CN=root 2", state: "published", since: at, notAfter: at }],
  bundle: { sequence: 8, version: "cd" },
  steps: [{ root: "ab", from: "published", to: "propagated", waitsFor: 3, heldUpBy: holds }],
  waivers: [{ root: "ab", spiffeId: "spiffe://cluster.local/gone", at, by: "the operator", reason: "lost" }],
};
const plan = {
  action: "activate",
  root: "ab",
  subject: "O=cluster.local,CN=root 2",
  identities: 1,
  broken: 2,
  breaks: holds.slice(0, 2),
  confirmation: "activate ab leaving 1 behind",
};
const forecast = {
  proxies: 3,
  identities: 2,
  first: { at, spiffeId },
  half: at,
  last: at,
  ifRemoved: [{ role: "root", keyId: "ab", proxies: 3, identities: 2, named: [spiffeId] }],
};

const reads: readonly (readonly [path: string, answer: unknown, calls: unknown])[] = [
  ["/v1/ca/root", rotation, []],
  ["/v1/ca/root/plan", plan, [["root.plan", undefined]]],
  ["/v1/ca/root/plan?remove=ab", plan, [["root.plan", "ab"]]],
  ["/v1/ca/forecast", forecast, []],
];
for (const [path, expected, calls] of reads) {
  test(`GET ${path} is for auditors and operators`, async (t) => {
    const door = await openDoor(t, "http");
    assert.equal((await askHttp(door, `GET ${path}`)).status, 401);
    assert.equal((await askHttp(door, `GET ${path}`, undefined, bearer("a.workload"))).status, 403);
    const answer = await askHttp(door, `GET ${path}`, undefined, bearer("auditor"));
    assert.deepEqual([answer.status, answer.json], [200, expected]);
    assert.deepEqual(door.calls, calls);
  });
}

const writes: readonly (readonly [path: string, body: unknown, call: unknown])[] = [
  ["/v1/ca/root/rotate", {}, ["root.rotate", "the operator"]],
  ["/v1/ca/root/rotate", undefined, ["root.rotate", "the operator"]],
  ["/v1/ca/root/abort", {}, ["root.abort", "the operator"]],
  ["/v1/ca/root/waivers", { spiffeId, reason: "gone" }, ["root.waive", spiffeId, "gone", "the operator"]],
  ["/v1/ca/root/force", { confirmation: "do it" }, ["root.force", "do it", undefined, "the operator"]],
  ["/v1/ca/root/force", { confirmation: "do it", remove: "ab" }, ["root.force", "do it", "ab", "the operator"]],
];
for (const [path, body, call] of writes) {
  test(`POST ${path} ${JSON.stringify(body)} is for operators`, async (t) => {
    const door = await openDoor(t, "http");
    assert.equal((await askHttp(door, `POST ${path}`, body)).status, 401);
    assert.equal((await askHttp(door, `POST ${path}`, body, bearer("auditor"))).status, 403);
    assert.deepEqual(door.calls, []);
    const answer = await askHttp(door, `POST ${path}`, body, bearer("operator"));
    assert.deepEqual([answer.status, answer.json], [200, rotation]);
    assert.deepEqual(door.calls, [call]);
  });
}

test("what is no question about the root is refused before anybody is asked", async (t) => {
  const door = await openDoor(t, "http");
  for (const [route, body] of [
    ["GET /v1/ca/root/plan?remove=AB", undefined],
    ["POST /v1/ca/root/waivers", { spiffeId }],
    ["POST /v1/ca/root/waivers", { spiffeId, reason: "two\nlines" }],
    ["POST /v1/ca/root/force", {}],
    ["POST /v1/ca/root/force", { confirmation: "x".repeat(201) }],
    ["POST /v1/ca/root/force", { confirmation: "do it", remove: "all of them" }],
  ] as const) {
    const answer = await askHttp(door, route, body, bearer("operator"));
    assert.deepEqual([answer.status, answer.json["code"]], [400, "admin/request"], route);
  }
  assert.deepEqual(door.calls, []);
});
