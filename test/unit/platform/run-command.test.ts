import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "#platform/run-command";
import { systemTimers, type Timers } from "#platform/timers";
import { isRunning } from "#test/support/is-running";
import { createFakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

const node = (program: string) => [process.execPath, "--eval", program];
const run = (argv: readonly string[]) => runCommand(argv, 60_000, systemTimers);

test("a program that ends well ran, whatever it writes and without anything to read", async () => {
  assert.deepEqual(await run(node("")), { ok: true });
  assert.deepEqual(await run(node("process.stdout.write('x'.repeat(1e6)); process.stderr.write('x'.repeat(1e6))")), {
    ok: true,
  });
  assert.deepEqual(await run(["cat"]), { ok: true });
});

test("one that fails is told with its status or the signal, and its last words", async () => {
  assert.deepEqual(await run(node("console.error('first\\nlast words'); process.exit(3)")), {
    ok: false,
    message: "it ended with the status 3: last words",
  });
  assert.deepEqual(await run(["sh", "-c", "kill -9 $$"]), { ok: false, message: "it was ended by SIGKILL" });
});

test("one that takes too long is ended, with what it has started", async (t) => {
  const pids = join(await tempFolder(t), "pids");
  const time = createFakeTime();
  const script = `echo dying >&2; sleep 600 & echo $! >>${pids}; sleep 600; :`;
  const outcome = runCommand(["sh", "-c", script], 30_000, time);
  await until(() => existsSync(pids) && readFileSync(pids, "utf8").endsWith("\n"));
  await time.advance(30_000);
  const told = await outcome;
  assert.match(told.ok ? "" : told.message, /^it took longer than 30 s/);
  const started = Number(readFileSync(pids, "utf8"));
  await until(() => !isRunning(started));
  assert.equal(time.pending(), 0);
});

test("one that ends by itself has ended, whatever it leaves running with its standard error open", async (t) => {
  const pids = join(await tempFolder(t), "pids");
  for (const [status, told] of [
    [0, { ok: true }],
    [3, { ok: false, message: "it ended with the status 3: last words" }],
  ] as const) {
    const time = createFakeTime();
    const delays: number[] = [];
    const timers: Timers = {
      after(delayMillis, run) {
        delays.push(delayMillis);
        return time.after(delayMillis, run);
      },
    };
    const script = `sleep 600 & echo $! >${pids}; echo last words >&2; exit ${status}`;
    const outcome = runCommand(["sh", "-c", script], 30_000, timers);
    await until(() => delays.length === 2);
    await time.advance(delays[1]!);
    assert.deepEqual(await outcome, told);
    assert.equal(time.pending(), 0);
    const left = Number(readFileSync(pids, "utf8"));
    assert.equal(isRunning(left), true);
    process.kill(left);
  }
});

test("one that is not there, or that cannot be one, is told", async () => {
  for (const [program, why] of [
    ["/no/such/program", /ENOENT/],
    ["", /empty/],
    ["a\0b", /null bytes/],
  ] as const) {
    const outcome = await run([program]);
    assert.match(outcome.ok ? "" : outcome.message, why);
  }
});

test("no shell reads its arguments", async () => {
  const outcome = await run([...node("process.exit(process.argv[1] === '$(id); rm *' ? 0 : 1)"), "$(id); rm *"]);
  assert.deepEqual(outcome, { ok: true });
});
