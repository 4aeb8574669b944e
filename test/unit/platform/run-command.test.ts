import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "#platform/run-command";

const node = (program: string) => [process.execPath, "--eval", program];

test("a program that ends well ran", async () => {
  assert.deepEqual(await runCommand(node(""), 10_000), { ok: true });
});

test("one that fails is told with its status and its last words", async () => {
  assert.deepEqual(await runCommand(node("console.error('first\\nlast words'); process.exit(3)"), 10_000), {
    ok: false,
    message: "it ended with the status 3: last words",
  });
});

test("one that takes too long is ended", async () => {
  const outcome = await runCommand(node("setInterval(() => {}, 1000)"), 300);
  assert.match(outcome.ok ? "" : outcome.message, /took longer than 0\.3 s/);
});

test("one that is not there is told", async () => {
  const outcome = await runCommand(["/no/such/program"], 1_000);
  assert.match(outcome.ok ? "" : outcome.message, /ENOENT/);
});

test("no shell reads its arguments", async () => {
  assert.deepEqual(
    await runCommand([...node("process.exit(process.argv[1] === '$(id); rm *' ? 0 : 1)"), "$(id); rm *"], 10_000),
    {
      ok: true,
    },
  );
});
