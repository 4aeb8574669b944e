import { type ChildProcess, spawn } from "node:child_process";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Timers } from "#platform/timers";

export interface Run {
  readonly program: "git" | "gpg" | "ssh-keygen";
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folder to run in. */
  readonly cwd: string;
  readonly input?: string;
  readonly timers: Timers;
  readonly timeoutMillis: number;
  readonly maxOutputBytes: number;
  /** Unset: `mostMemoryBytes`. */
  readonly maxMemoryBytes?: number;
  /** Resolves only if the program is to be ended, with why. */
  readonly tooMuch?: Promise<CodedError>;
  readonly signal?: AbortSignal;
}

export interface Ran {
  /** 0: it went well. -1: a signal ended it. */
  readonly status: number;
  readonly output: Buffer;
  /** The end of what it said of itself, one line. */
  readonly told: string;
}

/** git keeps what a remote says of its references, however much that is; a large honest repository takes some hundred MiB. */
const mostMemoryBytes = 2 * 1024 ** 3;

/** Sets the limit, and becomes the program: nothing that it is given is read by a shell. sh(1), `ulimit`, in KiB; where the system has no such limit there is none. */
const limited = 'ulimit -d "$1" 2>/dev/null; shift; exec "$@"';
/** sh(1), `exec`: there is no such program, or none that can be run. */
const unrun: ReadonlySet<number | null> = new Set([126, 127]);

/** So much of what a program says of itself is kept. */
const toldBytes = 8 * 1024;
const toldCharacters = 400;

/**
 * Runs a program with its arguments as they stand and gathers its output. Whatever it has started ends with it. Fails with `git/missing` where it cannot be started,
 * `git/too-slow`, `source/too-large` when it says more than is taken, or the fault of `tooMuch`; its own failure, as for want of the
 * memory that it may not have, is a status.
 */
export function runProgram(run: Run): Promise<Ran> {
  const { program, args, environment, cwd, timers, signal } = run;
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  // A group of its own: git runs ssh, and helpers that outlive it where it alone is ended.
  const memoryKib = String((run.maxMemoryBytes ?? mostMemoryBytes) / 1024);
  const words = ["-c", limited, "sh", memoryKib, program, ...args];
  const child = spawn("sh", words, { env: environment, cwd, stdio: "pipe", detached: true });
  const forget: (() => void)[] = [];
  const fail = (fault: CodedError) => {
    endGroup(child);
    reject(fault);
  };
  forget.push(
    timers.after(run.timeoutMillis, () =>
      fail(new CodedError("git/too-slow", `\`${program} ${args[0]}\` took more than ${run.timeoutMillis / 1000} s`)),
    ),
  );
  void run.tooMuch?.then(fail);
  const abort = () => fail(new CodedError("git/too-slow", `\`${program} ${args[0]}\` was ended with the service`));
  signal?.addEventListener("abort", abort, { once: true });
  forget.push(() => signal?.removeEventListener("abort", abort));
  if (signal?.aborted) abort();

  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= run.maxOutputBytes) chunks.push(chunk);
    else
      fail(new CodedError("source/too-large", `\`${program} ${args[0]}\` gave more than ${run.maxOutputBytes} bytes`));
  });
  let told = Buffer.alloc(0);
  child.stderr.on("data", (chunk: Buffer) => {
    told = Buffer.concat([told, chunk]).subarray(-toldBytes);
  });
  const missing = (why: string, cause?: unknown) =>
    reject(new CodedError("git/missing", `\`${program}\` cannot be run: ${why}`, { cause }));
  child.on("error", (cause) => missing(messageOf(cause), cause));
  child.on("close", (status) => {
    if (unrun.has(status)) missing(oneLine(told));
    else resolve({ status: status ?? -1, output: Buffer.concat(chunks), told: oneLine(told) });
  });
  // A program that ends before it has read everything says why by its status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(run.input ?? "");
  return promise.finally(() => {
    for (const each of forget) each();
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

function oneLine(told: Buffer): string {
  const text = told
    .toString("utf8")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return text.length <= toldCharacters ? text : `…${text.slice(-toldCharacters)}`;
}
