import { Worker } from "node:worker_threads";
import { messageOf } from "#platform/coded-error";
import { endThread, moduleAt } from "#platform/thread";
import { systemTimers, type Timers } from "#platform/timers";
import type { BuildResult } from "./build.ts";
import type { Repository } from "./git/repository.ts";

/** What a worker is asked to build from. */
export type BuildTask =
  | { readonly kind: "directory"; readonly path: string }
  | {
      readonly kind: "commit";
      readonly repository: Repository;
      readonly commit: string;
      /** URL of a module that exports `runTests`, see `TestRunner`; undefined: no tests are run. */
      readonly testModule: string | undefined;
    };

export interface Builder {
  /** One at a time. Never rejects. */
  build(task: BuildTask): Promise<BuildResult>;
  /** Ends what is built; from then on nothing is. */
  close(): Promise<void>;
}

/** After so long without work the thread ends and gives its memory back. */
const idleMillis = 20_000;

/** What a thread is given for a task, far more than the largest honest policies need: a few lines can be tests without an end. */
export const longestBuildMillis = 300_000;

/** Builds in a thread of its own, so that requests are answered meanwhile. The thread is started by the first task, and ended when one takes too long. */
export function createBuilder(timers: Timers = systemTimers): Builder {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;
  const end = async () => {
    clearTimeout(idle);
    const ending = worker;
    worker = undefined;
    // It may run git; a thread that compiles does not, and does not hear either.
    if (ending !== undefined) await endThread(ending, "end");
  };
  const start = () => {
    const started = startWorker();
    // A thread that ends between two tasks is not asked again: it would never answer.
    const forget = () => {
      if (worker === started) worker = undefined;
    };
    started.on("error", forget);
    started.on("exit", forget);
    return started;
  };
  return {
    async build(task) {
      clearTimeout(idle);
      if (closed) return { kind: "failed", code: "source/worker", message: "the compiler was ended with the service" };
      worker ??= start();
      const result = await ask(worker, task, timers);
      if (result.kind === "failed" && result.code === "source/worker") await end();
      else {
        idle = setTimeout(() => void end(), idleMillis);
        idle.unref();
      }
      return result;
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

function startWorker(): Worker {
  const worker = new Worker(moduleAt("./build-worker", import.meta.url));
  worker.unref();
  return worker;
}

function ask(worker: Worker, task: BuildTask, timers: Timers): Promise<BuildResult> {
  worker.ref();
  return new Promise((resolve) => {
    const settle = (result: BuildResult) => {
      forget();
      worker.off("message", settle);
      worker.off("error", onError);
      worker.off("exit", onExit);
      worker.unref();
      resolve(result);
    };
    const failed = (message: string) => settle({ kind: "failed", code: "source/worker", message });
    const onError = (fault: Error) => failed(`the compiler failed: ${messageOf(fault)}`);
    const onExit = () => failed("the compiler ended before it had finished");
    const forget = timers.after(longestBuildMillis, () =>
      failed(`reading, compiling and testing took more than ${longestBuildMillis / 1000} s`),
    );
    worker.on("message", settle);
    worker.on("error", onError);
    worker.on("exit", onExit);
    worker.postMessage(task);
  });
}
