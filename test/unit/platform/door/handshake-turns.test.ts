import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { Server as TlsServer } from "node:tls";
import { handshakeLimits, takeHandshakes } from "#platform/door/handshake-turns";

const { underWay, perTurn } = handshakeLimits;

/** A server of which the own listener notes what it is given; turns and time are the test's. */
function scene() {
  const begun: number[] = [];
  const gone: number[] = [];
  const server = new EventEmitter();
  server.on("connection", (socket: { id: number }) => begun.push(socket.id));
  const turns: (() => void)[] = [];
  const timers: { readonly atMillis: number; readonly run: () => void }[] = [];
  const rushes = { begun: 0, ended: 0 };
  let nowMillis = 0;
  const take = takeHandshakes(server as TlsServer, {
    nextTurn: (run) => void turns.push(run),
    after: (millis, run) => void timers.push({ atMillis: nowMillis + millis, run }),
    collectOften: () => {
      rushes.begun++;
      return () => rushes.ended++;
    },
  });
  return {
    begun,
    gone,
    rushes,
    ended: (event: "secureConnection" | "tlsClientError") => server.emit(event, {}),
    add(id: number) {
      const socket = {
        id,
        destroyed: false,
        destroy() {
          if (!socket.destroyed) gone.push(id);
          socket.destroyed = true;
        },
      };
      take(socket as unknown as Socket);
      return socket;
    },
    /** Turns of the loop until nothing is left to do in one; how many began something. */
    turn(most = Number.POSITIVE_INFINITY): number {
      let count = 0;
      for (; count < most; count++) {
        const run = turns.shift();
        if (run === undefined) break;
        run();
      }
      return count;
    },
    pass(millis: number) {
      nowMillis += millis;
      for (const timer of timers.filter(({ atMillis }) => atMillis <= nowMillis)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.run();
      }
    },
  };
}

const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

test("handshakes begin in the order of their connections, a few in a turn, and none in the turn in which it comes", () => {
  const { add, begun, turn } = scene();
  for (const id of ids(0, perTurn + 1)) add(id);
  assert.deepEqual(begun, []);
  turn(1);
  assert.deepEqual(begun, ids(0, perTurn));
  turn(1);
  assert.deepEqual(begun, ids(0, perTurn + 1));
});

test("no more are under way than may be, and each that ends, well or not, makes room for one", () => {
  const { add, begun, turn, ended } = scene();
  for (const id of ids(0, underWay + 3)) add(id);
  turn();
  assert.equal(begun.length, underWay);
  ended("secureConnection");
  turn();
  assert.equal(begun.length, underWay + 1);
  ended("tlsClientError");
  ended("tlsClientError");
  turn();
  assert.deepEqual(begun, ids(0, underWay + 3));
});

test("handshakes that do not go on hold up nobody for long", () => {
  const { add, begun, turn, pass } = scene();
  for (const id of ids(0, 2 * underWay)) add(id);
  turn();
  pass(249);
  turn();
  assert.equal(begun.length, underWay);
  pass(1);
  turn();
  assert.equal(begun.length, 2 * underWay);
});

test("what is gone is passed over, and who has waited too long is sent away", () => {
  const { add, begun, gone, turn, pass } = scene();
  add(0);
  add(1).destroyed = true;
  turn();
  assert.deepEqual([begun, gone], [[0], []]);
  add(2);
  pass(9_999);
  add(3);
  pass(1);
  turn();
  assert.deepEqual([begun, gone], [[0, 3], [2]]);
  pass(20_000);
  assert.deepEqual(gone, [2]);
});

test("an end that nothing had begun for is none", () => {
  const { add, begun, turn, ended } = scene();
  ended("tlsClientError");
  for (const id of ids(0, underWay + 1)) add(id);
  turn();
  assert.equal(begun.length, underWay);
});

test("the young heap is collected often while many wait, and as usual when none does", () => {
  const { add, rushes, turn, ended } = scene();
  for (const id of ids(0, 31)) add(id);
  assert.deepEqual(rushes, { begun: 0, ended: 0 });
  for (const id of ids(31, 10)) add(id);
  assert.deepEqual(rushes, { begun: 1, ended: 0 });
  turn();
  for (let i = 0; i < 9; i++) ended("secureConnection");
  turn();
  assert.deepEqual(rushes, { begun: 1, ended: 1 });
  for (const id of ids(41, 40)) add(id);
  assert.deepEqual(rushes, { begun: 2, ended: 1 });
});
