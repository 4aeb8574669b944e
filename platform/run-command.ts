import { spawn } from "node:child_process";
import { messageOf } from "./coded-error.ts";
import { cutText } from "./cut-text.ts";
import { endGroup } from "./end-group.ts";
import type { Timers } from "./timers.ts";

export type CommandOutcome = { readonly ok: true } | { readonly ok: false; readonly message: string };

const errorsLimitBytes = 8 * 1024;
const messageLimitBytes = 1024;

/** What a program wrote is read sooner, unless something that it leaves running holds its standard error. */
const lastWordsMillis = 1_000;

/**
 * Runs a program with its arguments, without a shell and without input, in the environment of this one, and ends it, with whatever it has started, when it takes too long. One that
 * ends by itself in time may leave others running, which are not waited for. Never rejects: what went wrong is one line, with the last that it wrote to standard error.
 */
export async function runCommand(
  argv: readonly string[],
  timeoutMillis: number,
  timers: Timers,
): Promise<CommandOutcome> {
  let errors = Buffer.alloc(0);
  const hear = (chunk: Buffer) => {
    errors = Buffer.concat([errors, chunk]).subarray(-errorsLimitBytes);
  };
  const how = await run(argv, timeoutMillis, timers, hear).catch(messageOf);
  if (how === undefined) return { ok: true };
  const last = errors.toString("utf8").trim().split("\n").at(-1)?.trim() ?? "";
  return { ok: false, message: cutText(last === "" ? how : `${how}: ${last}`, messageLimitBytes) };
}

/** How it went wrong; undefined: it did not. */
async function run(
  [program = "", ...args]: readonly string[],
  timeoutMillis: number,
  timers: Timers,
  hear: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  child.stderr.on("data", hear);
  const { promise: ended, resolve, reject } = Promise.withResolvers<string | undefined>();
  const exited = (status: number | null, signal: string | null) => {
    const how = status === null ? `it was ended by ${signal}` : `it ended with the status ${status}`;
    const told = () => resolve(status === 0 ? undefined : how);
    child.once("close", told);
    // Its number may be another program's from now on.
    cancel();
    cancel = timers.after(lastWordsMillis, told);
  };
  let cancel = timers.after(timeoutMillis, () => {
    child.off("exit", exited);
    endGroup(child);
    resolve(`it took longer than ${timeoutMillis / 1000} s`);
  });
  child.on("error", reject);
  child.once("exit", exited);
  return ended.finally(() => {
    cancel();
    child.stderr.destroy();
  });
}
