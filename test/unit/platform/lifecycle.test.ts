import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createLifecycle } from "#platform/lifecycle";
import { createLog } from "#platform/log";

const { log } = createLog({ level: "silent", stream: new PassThrough() });

test("parts stop in the reverse order of their start, one after the other, each once", async () => {
  const lifecycle = createLifecycle(log);
  const stopped: string[] = [];
  for (const name of ["a", "b", "c"]) {
    lifecycle.add({
      name,
      async stop() {
        await Promise.resolve();
        stopped.push(name);
      },
    });
  }
  await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
  assert.deepEqual(stopped, ["c", "b", "a"]);
});

test("a part that fails does not keep the others from stopping", async () => {
  const lifecycle = createLifecycle(log);
  let stopped = false;
  lifecycle.add({
    name: "first",
    stop() {
      stopped = true;
    },
  });
  lifecycle.add({ name: "second", stop: () => Promise.reject(new Error("no")) });
  await lifecycle.stop(1000);
  assert.equal(stopped, true);
});

test("a part that would never end hears the deadline", async () => {
  const lifecycle = createLifecycle(log);
  lifecycle.add({
    name: "slow",
    stop: (deadline) => new Promise((resolve) => deadline.addEventListener("abort", () => resolve())),
  });
  await lifecycle.stop(1);
});
