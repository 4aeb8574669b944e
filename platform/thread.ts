import { once } from "node:events";
import type { Worker } from "node:worker_threads";

/**
 * A module of this program by its path from another, without the ending: `importer` is the other's `import.meta.url`. The emitted program has the same files with another
 * ending.
 */
export function moduleAt(path: string, importer: string): URL {
  return new URL(`${path}${importer.endsWith(".ts") ? ".ts" : ".js"}`, importer);
}

/** A thread that hears that it shall end takes no longer. */
const endMillis = 250;

/** Ends a thread: asked by its last word, for what it has started ends with it; and, where it does not hear, whatever it is at. */
export async function endThread(worker: Worker, lastWord: unknown): Promise<void> {
  worker.ref();
  const exited = once(worker, "exit", { signal: AbortSignal.timeout(endMillis) });
  worker.postMessage(lastWord);
  await exited.catch(() => undefined);
  await worker.terminate();
}
