import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionFault } from "#platform/door/connections";
import { type DoorStart, defaultDoorLimits, requireTlsForOthers } from "#platform/door/door";
import { createLog } from "#platform/log";

const { log } = createLog({ level: "silent" });
const limits = { ...defaultDoorLimits, connectionsPerAddress: 2 };

function start(host: string, tls: boolean): DoorStart {
  const address = { kind: "tcp", host, port: 1 } as const;
  return { name: "test", address, tls: tls ? { cert: "", key: "" } : undefined, limits, log };
}

test("plain text is for this machine alone", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) requireTlsForOthers(start(host, false));
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "ca.example"]) {
    assert.throws(() => requireTlsForOthers(start(host, false)), { code: "door/plain-text" });
    requireTlsForOthers(start(host, true));
  }
});

test("a client from elsewhere is not heard in plain text, wherever the door listens", () => {
  assert.equal(connectionFault(start("localhost", false), "127.0.0.1", 0), undefined);
  assert.equal(connectionFault(start("localhost", false), "::1", 0), undefined);
  assert.equal(connectionFault(start("localhost", false), "10.0.0.1", 0), "plain text from another machine");
  assert.equal(connectionFault(start("10.0.0.1", true), "10.0.0.2", 0), undefined);
});

test("an address has as many connections as it may, and one that is gone has none", () => {
  assert.equal(connectionFault(start("10.0.0.1", true), "10.0.0.2", 1), undefined);
  assert.equal(connectionFault(start("10.0.0.1", true), "10.0.0.2", 2), "too many connections of this address");
  assert.equal(connectionFault(start("10.0.0.1", true), undefined, 0), "the client is gone");
});
