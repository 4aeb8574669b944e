import { Command, CommanderError } from "commander";
import { CodedError, messageOf } from "#platform/coded-error";
import type { CommandContext } from "./command.ts";
import { commandTable } from "./commands/table.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** Runs the command line and answers with the exit status. Never rejects. */
export async function run(args: readonly string[], outside: Omit<CommandContext, "finish">): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const context: CommandContext = {
    ...outside,
    finish: (next) => {
      code = next;
    },
  };
  const program = new Command("garita")
    .description("Zero trust for any Envoy, without Kubernetes: Istio's security YAML decides every request.")
    .exitOverride()
    .configureOutput({ writeOut: outside.write, writeErr: outside.writeError })
    .showHelpAfterError("(garita --help tells more)");
  const asked = args.find((arg) => !arg.startsWith("-"));
  try {
    for (const { name, summary, load } of commandTable) {
      const command = program.command(name).description(summary);
      if (name === asked || (asked === "help" && args.includes(name))) (await load()).define(command, context);
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (fault) {
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const name = fault instanceof CodedError ? ` [${fault.code}]` : "";
    outside.writeError(`garita: ${messageOf(fault)}${name}\n`);
    return exitCodes.internal;
  }
}
