import { parentPort } from "node:worker_threads";
import { buildFrom } from "./build-rules.ts";
import type { BuildTask } from "./builder.ts";
import { readDirectory } from "./read-directory.ts";

/** Runs in a thread of its own: a task comes in, a result goes out, and its bytes are handed over, not copied. */
parentPort?.on("message", async (task: BuildTask) => {
  const result = await buildFrom(() => readDirectory(task.path));
  parentPort?.postMessage(result, result.kind === "built" ? [result.bytes.buffer as ArrayBuffer] : []);
});
