import { execFile } from "node:child_process";
import { messageOf } from "./coded-error.ts";
import { cutText } from "./cut-text.ts";

export type CommandOutcome = { readonly ok: true } | { readonly ok: false; readonly message: string };

const outputLimitBytes = 64 * 1024;
const messageLimitBytes = 1024;

/** Runs a program with its arguments, without a shell, and ends it when it takes too long. Never rejects: what went wrong is one line, with the last that it wrote to standard error. */
export function runCommand(argv: readonly string[], timeoutMillis: number): Promise<CommandOutcome> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMillis, killSignal: "SIGKILL", maxBuffer: outputLimitBytes } as const;
    execFile(program, args, limits, (fault, _output, errors) => {
      if (fault === null) {
        resolve({ ok: true });
        return;
      }
      const last = errors.trim().split("\n").at(-1)?.trim() ?? "";
      const how =
        fault.killed === true
          ? `it took longer than ${timeoutMillis / 1000} s, or wrote too much`
          : typeof fault.code === "number"
            ? `it ended with the status ${fault.code}`
            : messageOf(fault);
      const message = last === "" ? how : `${how}: ${last}`;
      resolve({ ok: false, message: cutText(message, messageLimitBytes) });
    });
  });
}
