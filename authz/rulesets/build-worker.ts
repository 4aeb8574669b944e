import { parentPort } from "node:worker_threads";
import { systemTimers } from "#platform/timers";
import type { SourceFile } from "#policy-compiler/compile";
import { buildFrom } from "./build-rules.ts";
import type { BuildTask } from "./builder.ts";
import { readCommit } from "./git/read-commit.ts";
import { readDirectory } from "./read-directory.ts";
import { withTests } from "./run-tests.ts";

const ending = new AbortController();

/**
 * Runs in a thread of its own: a task comes in, a result goes out, and its bytes are handed over, not copied. The last word is `end`: what the thread has started ends
 * with it.
 */
parentPort?.on("message", async (task: BuildTask | "end") => {
  if (task === "end") {
    ending.abort();
    process.exit();
  }
  let files: readonly SourceFile[] = [];
  const built = await buildFrom(async () => {
    files = await read(task);
    return files;
  });
  const result = task.kind === "commit" ? await withTests(built, files, task.testModule) : built;
  parentPort?.postMessage(result, result.kind === "built" ? [result.bytes.buffer as ArrayBuffer] : []);
});

function read(task: BuildTask): Promise<readonly SourceFile[]> {
  if (task.kind === "directory") return readDirectory(task.path);
  return readCommit(task.repository, task.commit, { timers: systemTimers, signal: ending.signal });
}
