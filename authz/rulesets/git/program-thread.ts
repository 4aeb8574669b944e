import { Worker } from "node:worker_threads";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { endThread, moduleAt } from "#platform/thread";
import type { ProgramCall, Ran, StartProgram } from "./start-program.ts";

/** What the thread is told. */
export type ProgramTask =
  | { readonly kind: "start"; readonly id: number; readonly call: ProgramCall }
  | { readonly kind: "end"; readonly id: number }
  /** Ends what runs, and the thread. */
  | { readonly kind: "close" };

/** What it answers: how a program ended. */
export type ProgramAnswer = { readonly id: number } & (
  | { readonly ran: Omit<Ran, "output"> & { readonly output: Uint8Array } }
  | { readonly fault: { readonly code: FaultCode; readonly message: string } }
);

export interface ProgramThread {
  readonly start: StartProgram;
  /** Ends what runs; nothing is started any more. */
  close(): Promise<void>;
}

/** After so long without a program the thread ends. */
const idleMillis = 20_000;

/**
 * Starts programs from a thread of its own, which is started by the first of them. PERF: a process stands still while it is copied for a program, and a
 * large one long: so it is another thread that does, and requests are answered meanwhile.
 */
export function createProgramThread(): ProgramThread {
  let thread: Thread | undefined;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;
  const rest = async () => {
    clearTimeout(idle);
    const resting = thread;
    // ORDER: whoever starts a program from now on gets another thread.
    thread = undefined;
    await resting?.close();
  };
  return {
    start(call) {
      clearTimeout(idle);
      if (closed) return { ended: Promise.reject(new CodedError("source/worker", "the service ends")), end() {} };
      if (thread === undefined || thread.hasEnded()) {
        thread = beginThread(() => {
          idle = setTimeout(() => void rest(), idleMillis);
          idle.unref();
        });
      }
      return thread.start(call);
    },
    close() {
      closed = true;
      return rest();
    },
  };
}

interface Thread extends ProgramThread {
  hasEnded(): boolean;
}

/** `onIdle`: nothing runs any more. */
function beginThread(onIdle: () => void): Thread {
  const worker = new Worker(moduleAt("./program-worker", import.meta.url));
  const tell = (task: ProgramTask) => worker.postMessage(task);
  const running = new Map<number, PromiseWithResolvers<Ran>>();
  let last = 0;
  let ended = false;
  const settle = (id: number): PromiseWithResolvers<Ran> | undefined => {
    const program = running.get(id);
    running.delete(id);
    if (running.size === 0 && !ended) {
      worker.unref();
      onIdle();
    }
    return program;
  };
  const lose = (why: string) => {
    ended = true;
    const fault = new CodedError("source/worker", `the thread that runs programs ended: ${why}`);
    for (const id of [...running.keys()]) settle(id)?.reject(fault);
  };
  worker.on("message", (answer: ProgramAnswer) => {
    const program = settle(answer.id);
    if ("fault" in answer) program?.reject(new CodedError(answer.fault.code, answer.fault.message));
    else program?.resolve({ ...answer.ran, output: Buffer.from(answer.ran.output) });
  });
  worker.on("error", (fault) => lose(messageOf(fault)));
  worker.on("exit", () => lose("before they did"));
  return {
    hasEnded: () => ended,
    start(call) {
      worker.ref();
      const id = ++last;
      const program = Promise.withResolvers<Ran>();
      running.set(id, program);
      tell({ kind: "start", id, call });
      return { ended: program.promise, end: () => tell({ kind: "end", id }) };
    },
    async close() {
      if (!ended) await endThread(worker, { kind: "close" } satisfies ProgramTask);
    },
  };
}
