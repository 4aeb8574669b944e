import assert from "node:assert/strict";
import type { ServerHttp2Session } from "node:http2";
import { test } from "node:test";
import { createIdleSessions } from "#platform/grpc/idle-sessions";

test("of sessions without a call the one that has had none for longest goes, and none that has one", () => {
  const gone: string[] = [];
  const session = (name: string) =>
    ({ destroyed: false, closed: false, close: () => gone.push(name) }) as unknown as ServerHttp2Session;
  const [a, b, c, d, e] = [session("a"), session("b"), session("c"), session("d"), session("e")];
  const idle = createIdleSessions(2);
  idle.add(a);
  idle.add(b);
  idle.remove(a);
  idle.add(c);
  assert.deepEqual(gone, []);
  // Its call is answered: it has waited for less long than the others.
  idle.add(a);
  assert.deepEqual(gone, ["b"]);
  idle.add(d);
  idle.add(e);
  assert.deepEqual(gone, ["b", "c", "a"]);
  idle.remove(b);
  idle.remove(d);
  idle.add(b);
  assert.deepEqual(gone, ["b", "c", "a"]);
});
