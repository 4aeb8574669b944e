import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { watchConnections } from "#platform/door/connections";
import { defaultDoorLimits } from "#platform/door/door";
import { createHandshakes } from "#platform/door/handshakes";
import { recordLog } from "#test/support/ca/record-log";

const limits = { handshakeBytes: 1000, barMillis: 60_000 };
let port = 1;

/** A connection of this address over which so much has come. */
function socketFrom(remoteAddress: string, bytesRead: number) {
  const state = { remoteAddress, remotePort: port++, bytesRead, destroyed: false };
  const socket = Object.assign(new EventEmitter(), state, {
    destroy() {
      socket.destroyed = true;
      socket.emit("close");
    },
  });
  return socket as typeof socket & Socket & TLSSocket;
}

function watched(t: TestContext, change: Partial<typeof limits> = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told: string[] = [];
  const handshakes = createHandshakes({ ...limits, ...change }, (remoteAddress) => told.push(remoteAddress));
  const shake = (remoteAddress: string, bytesRead: number) => {
    const socket = socketFrom(remoteAddress, bytesRead);
    handshakes.begin(socket);
    return socket;
  };
  return { handshakes, told, shake };
}

test("a handshake within the limit is fit, and bars nobody, however much comes after it", (t) => {
  const { handshakes, told, shake } = watched(t);
  shake("10.0.0.1", 1000).destroy();
  const socket = shake("10.0.0.1", 1e6);
  assert.equal(handshakes.isFit(socket, 1000), true);
  socket.bytesRead = 1e9;
  socket.destroy();
  assert.deepEqual([handshakes.isBarred("10.0.0.1"), told], [false, []]);
});

test("a handshake beyond it bars its address for a while, done or given up, and is told of once", (t) => {
  const { handshakes, told, shake } = watched(t);
  assert.equal(handshakes.isFit(shake("10.0.0.1", 0), 1001), false);
  shake("10.0.0.2", 1001).destroy();
  shake("10.0.0.1", 2000).destroy();
  assert.deepEqual(told, ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(
    ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "10.0.0.3"].map((address) => handshakes.isBarred(address)),
    [true, true, true, false],
  );
  t.mock.timers.tick(59_999);
  assert.equal(handshakes.isBarred("10.0.0.1"), true);
  t.mock.timers.tick(1);
  assert.equal(handshakes.isBarred("10.0.0.1"), false);
});

test("a network of IPv6 addresses is one address; of ten thousand that are barred the first is heard again", (t) => {
  const { handshakes, shake } = watched(t);
  shake("2001:db8:0:1::1", 2000).destroy();
  assert.equal(handshakes.isBarred("2001:db8:0:1:ffff::2"), true);
  assert.equal(handshakes.isBarred("2001:db8:0:2::1"), false);
  for (let i = 0; i < 10_000; i++) shake(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 2000).destroy();
  assert.equal(handshakes.isBarred("2001:db8:0:1::1"), false);
  assert.equal(handshakes.isBarred("10.0.0.0"), true);
});

test("where nobody is to be barred, the connection ends all the same", (t) => {
  const { handshakes, told, shake } = watched(t, { barMillis: 0 });
  assert.equal(handshakes.isFit(shake("10.0.0.1", 0), 1001), false);
  assert.deepEqual([handshakes.isBarred("10.0.0.1"), told], [false, []]);
});

test("connections are counted by network: whoever has one of IPv6 has as many addresses as there are connections", (t) => {
  const server = createServer();
  const { log, lines } = recordLog();
  const address = { kind: "tcp", host: "::", port: 1 } as const;
  const start = { name: "test", address, tls: { cert: "", key: "" }, log };
  watchConnections(server, { ...start, limits: { ...defaultDoorLimits, connectionsPerAddress: 2 } }, () => undefined);
  t.after(() => server.removeAllListeners());
  const connect = (remoteAddress: string) => {
    const socket = socketFrom(remoteAddress, 0);
    for (const listener of server.listeners("connection").slice(0, 1)) listener(socket);
    return socket;
  };
  const first = connect("2001:db8::1");
  assert.equal(first.destroyed || connect("2001:db8::2").destroyed, false);
  assert.equal(connect("2001:db8::3").destroyed, true);
  assert.equal(connect("2001:db8:0:1::1").destroyed, false);
  first.destroy();
  assert.equal(connect("2001:db8::4").destroyed, false);
  assert.deepEqual(
    lines.map(({ fields }) => [fields["remote"], fields["reason"]]),
    [["2001:db8::3", "too many connections of this address"]],
  );
});
