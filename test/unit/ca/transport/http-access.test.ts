import assert from "node:assert/strict";
import { test } from "node:test";
import { browserFault, roleFault } from "#ca/transport/http/access";

const hosts = new Set(["ca.example", "[::1]"]);
const plain = { host: "ca.example:443", origin: undefined, site: undefined, credential: false };

test("a page in a browser may ask nothing, with a credential or without", () => {
  for (const credential of [false, true]) {
    assert.equal(browserFault({ ...plain, credential }, hosts), undefined);
    assert.equal(browserFault({ ...plain, credential, site: "none" }, hosts), undefined);
    for (const page of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "" },
      { site: "same-origin" },
    ])
      assert.equal(browserFault({ ...plain, credential, ...page }, hosts)?.code, "admin/foreign-origin");
  }
});

test("who brings no credential asks by a name of the door", () => {
  for (const host of ["ca.example", "CA.EXAMPLE:8443", "[::1]:1"])
    assert.equal(browserFault({ ...plain, host }, hosts), undefined, host);
  for (const host of [undefined, "", "evil.example", "ca.example.evil.example", "ca.example@evil.example", "::1"]) {
    assert.equal(browserFault({ ...plain, host }, hosts)?.code, "admin/foreign-host", host);
    assert.equal(browserFault({ ...plain, host, credential: true }, hosts), undefined, host);
    assert.equal(browserFault({ ...plain, host }, undefined), undefined, host);
  }
});

test("auditors read, operators do everything, and some of it at the socket alone", () => {
  const there = { credential: true, operatorSocket: false };
  const codes = (["auditor", "operator", "socket"] as const).map((need) =>
    [undefined, "auditor", "operator"].map((role) => roleFault(need, role as "auditor" | undefined, there)?.code),
  );
  assert.deepEqual(codes, [
    ["ca-door/role", undefined, undefined],
    ["ca-door/role", "ca-door/role", undefined],
    ["ca-door/role", "ca-door/role", "admin/closed"],
  ]);
  assert.equal(roleFault("socket", "operator", { credential: false, operatorSocket: true }), undefined);
  const nothing = { credential: false, operatorSocket: false };
  assert.equal(roleFault("auditor", undefined, nothing)?.status, 401);
  assert.equal(roleFault("auditor", undefined, there)?.status, 403);
});
