import { spawn } from "node:child_process";
import { CodedError, messageOf } from "#platform/coded-error";
import { endGroup } from "#platform/end-group";

/** A program, and all that it is given. Plain values: it can be given to a thread. */
export interface ProgramCall {
  readonly program: "git" | "gpg" | "ssh-keygen";
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folder to run in. */
  readonly cwd: string;
  readonly input: string;
  /** It is ended when it says more. */
  readonly maxOutputBytes: number;
  readonly maxMemoryBytes: number;
}

export interface Ran {
  /** 0: it went well. -1: a signal ended it. */
  readonly status: number;
  /** Which one: `SIGPIPE`. */
  readonly signal: string | undefined;
  readonly output: Buffer;
  /** The end of what it said of itself, one line. */
  readonly told: string;
}

/** A program that runs. */
export interface StartedProgram {
  /** Its end. Fails with `git/missing` where it cannot be started, or `source/too-large` when it says more than is taken; its own failure, as for want of the memory that it may not have, is a status. */
  readonly ended: Promise<Ran>;
  /** Ends it, and whatever it has started. */
  end(): void;
}

export type StartProgram = (call: ProgramCall) => StartedProgram;

/** Sets the limit, and becomes the program: nothing that it is given is read by a shell. sh(1), `ulimit`, in KiB; where the system has no such limit there is none. */
const limited = 'ulimit -d "$1" 2>/dev/null; shift; exec "$@"';
/** sh(1), `exec`: there is no such program, or none that can be run. */
const unrun: ReadonlySet<number | null> = new Set([126, 127]);

/** So much of what a program says of itself is kept. */
const toldBytes = 8 * 1024;
const toldCharacters = 400;

/** Starts a program with its arguments as they stand, and gathers its output. Cost: the thread stands still while the system copies what the process has of memory, 10 ms for 300 MB. */
export function startProgram(call: ProgramCall): StartedProgram {
  const { program, args, environment, cwd, maxOutputBytes } = call;
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ran>();
  const words = ["-c", limited, "sh", String(call.maxMemoryBytes / 1024), program, ...args];
  // A group of its own: git runs ssh, and helpers that outlive it where it alone is ended.
  const child = spawn("sh", words, { env: environment, cwd, stdio: "pipe", detached: true });
  const end = () => endGroup(child);

  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxOutputBytes) chunks.push(chunk);
    else {
      end();
      reject(new CodedError("source/too-large", `\`${program} ${args[0]}\` gave more than ${maxOutputBytes} bytes`));
    }
  });
  let told = Buffer.alloc(0);
  child.stderr.on("data", (chunk: Buffer) => {
    told = Buffer.concat([told, chunk]).subarray(-toldBytes);
  });
  const missing = (why: string, cause?: unknown) =>
    reject(new CodedError("git/missing", `\`${program}\` cannot be run: ${why}`, { cause }));
  child.on("error", (cause) => missing(messageOf(cause), cause));
  child.on("close", (status, signal) => {
    if (unrun.has(status)) missing(oneLine(told));
    else {
      const output = Buffer.concat(chunks);
      resolve({ status: status ?? -1, signal: signal ?? undefined, output, told: oneLine(told) });
    }
  });
  // A program that ends before it has read everything says why by its status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(call.input);
  return { ended, end };
}

function oneLine(told: Buffer): string {
  const text = told
    .toString("utf8")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return text.length <= toldCharacters ? text : `…${text.slice(-toldCharacters)}`;
}
