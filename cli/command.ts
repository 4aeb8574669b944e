import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";

/** What a command gets from outside. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Which of the two is a terminal. */
  readonly terminal: { readonly output: boolean; readonly errors: boolean };
  /** Everything that standard input holds. */
  readonly readInput: () => Promise<Uint8Array>;
  /** The first line of standard input, as somebody types it; empty where it ends before. */
  readonly readLine: () => Promise<string>;
  /** Says how the program ends. The last word counts; without one it ends with 0. */
  readonly finish: (code: ExitCode) => void;
}

/** A command's module: it gives the command its options and its action. Loaded only when the command is asked for. */
export interface CommandModule {
  define(command: Command, context: CommandContext): void;
}
