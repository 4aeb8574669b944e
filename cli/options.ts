import { type Command, Option } from "commander";
import type { CommandContext } from "./command.ts";

/** `--format` with its choices; the first is the default. */
export function formatOption(formats: readonly string[]): Option {
  return new Option("--format <format>", "how to print").choices(formats).default(formats[0]);
}

export function addIstioLax(command: Command): Command {
  return command.option("--istio-lax", "drop unknown fields with a note, as Istio's file loader does", false);
}

export function addAsOf(command: Command): Command {
  return command.option(
    "--as-of <revision>",
    "the folder as a commit of its Git repository has it: HEAD~3, a branch, a tag, a commit; REVISION:PATH for another folder",
  );
}

export function addNoIndex(command: Command): Command {
  return command.option("--no-index", "ask every rule for every decision; it must never change one");
}

/** Colour only on a terminal that wants it (https://no-color.org). `stream`: where the text goes. */
export function wantsColour(
  { environment, terminal }: CommandContext,
  stream: keyof CommandContext["terminal"],
): boolean {
  if (environment["NO_COLOR"] !== undefined && environment["NO_COLOR"] !== "") return false;
  return terminal[stream] && environment["TERM"] !== "dumb";
}
