import { CodedError } from "#platform/coded-error";
import type { Timers } from "#platform/timers";
import { type ProgramCall, type Ran, type StartProgram, startProgram } from "./start-program.ts";

export interface Run extends Omit<ProgramCall, "input" | "maxMemoryBytes"> {
  readonly input?: string;
  /** Unset: `mostMemoryBytes`. */
  readonly maxMemoryBytes?: number;
  readonly timers: Timers;
  readonly timeoutMillis: number;
  /** Resolves only if the program is to be ended, with why. */
  readonly tooMuch?: Promise<CodedError>;
  readonly signal?: AbortSignal;
  /** Where it is started; unset: in this thread. */
  readonly start?: StartProgram;
}

/** git keeps what a remote says of its references, however much that is; a large honest repository takes some hundred MiB. */
const mostMemoryBytes = 2 * 1024 ** 3;

/** A program that is killed is gone sooner, unless the system cannot let go of it. */
const endMillis = 1_000;

/**
 * Runs a program to its end, which comes in time: whatever it has started ends with it. Fails like `StartedProgram.ended`, with
 * `git/too-slow`, or with the fault of `tooMuch`.
 */
export async function runProgram(run: Run): Promise<Ran> {
  const { program, args, environment, cwd, maxOutputBytes, timers, signal } = run;
  const { start = startProgram, input = "", maxMemoryBytes = mostMemoryBytes } = run;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const started = start({ program, args, environment, cwd, input, maxOutputBytes, maxMemoryBytes });
  const cancels: (() => void)[] = [];
  let over = false;
  let isFailing = false;
  const fail = (fault: CodedError) => {
    // Its number may be another program's by now.
    if (over) return;
    isFailing = true;
    started.end();
    // ORDER: what is done next may need what the program still holds.
    const told = () => reject(fault);
    started.ended.then(told, told);
    cancels.push(timers.after(endMillis, told));
  };
  const tooSlow = (why: string) => fail(new CodedError("git/too-slow", `\`${program} ${args[0]}\` ${why}`));
  const abort = () => tooSlow("was ended with the service");
  cancels.push(timers.after(run.timeoutMillis, () => tooSlow(`took more than ${run.timeoutMillis / 1000} s`)));
  void run.tooMuch?.then(fail);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    // A program that was ended has an end too: why it was is what counts.
    return await Promise.race([failed, started.ended.finally(() => (isFailing ? failed : undefined))]);
  } finally {
    over = true;
    for (const cancel of cancels) cancel();
    signal?.removeEventListener("abort", abort);
  }
}
