import { Command, CommanderError } from "commander";
import { CodedError, messageOf } from "#platform/coded-error";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "./command.ts";
import { commandTable } from "./commands/table.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { UsageFault } from "./usage-fault.ts";
import { readVersion } from "./version.ts";

const hint = "(garita --help tells more)";

/** Runs the command line and answers with the exit status. Never rejects. */
export async function run(args: readonly string[], outside: Omit<CommandContext, "finish">): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const context: CommandContext = {
    ...outside,
    finish: (next) => {
      code = next;
    },
  };
  const asked = args.find((arg) => !arg.startsWith("-"));
  try {
    const program = new Command("garita")
      .description("Zero trust for any Envoy, without Kubernetes: Istio's security YAML decides every request.")
      .version(`garita ${await readVersion()}`)
      .exitOverride()
      .configureOutput({ writeOut: outside.write, writeErr: outside.writeError })
      .showHelpAfterError(hint);
    for (const { name, summary, load } of commandTable) {
      const command = program.command(name).description(summary);
      if (name === asked || (asked === "help" && args.includes(name))) (await load()).define(command, context);
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (fault) {
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (fault instanceof UsageFault) {
      const lines = fault.message.split("\n").map((line) => printable(line));
      outside.writeError(`garita: ${lines.join("\n")}\n${fault.hinted ? `${hint}\n` : ""}`);
      return fault.exitCode;
    }
    const name = fault instanceof CodedError ? ` [${fault.code}]` : "";
    outside.writeError(`garita: ${printable(messageOf(fault))}${name}\n`);
    return fault instanceof CodedError ? exitCodeOf(fault.code) : exitCodes.internal;
  }
}
