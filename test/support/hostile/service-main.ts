/**
 * The real `garita serve` in a process of its own, for tests that attack it. Run with `--expose-gc` and an IPC channel: `memory` is
 * answered with what the process holds after a collection of garbage.
 */
import { run } from "#cli/run";

process.on("message", (question: unknown) => {
  if (question !== "memory") return;
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});

process.exitCode = await run(process.argv.slice(2), {
  environment: {},
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  terminal: { output: false, errors: false },
  readInput: async () => new Uint8Array(),
  readLine: async () => "",
});
process.disconnect?.();
