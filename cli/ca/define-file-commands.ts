import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../command.ts";
import { formatOption } from "../options.ts";
import type { LintOptions } from "./run-lint.ts";
import type { VerifyOptions } from "./run-verify.ts";
import type { FormatOptions } from "./service-options.ts";

/** The subcommands that look at files and need no service. */
export function defineFileCommands(command: Command, context: CommandContext): void {
  command
    .command("inspect")
    .description("what a file of certificates or requests says, at a glance (PEM or DER); nothing is verified")
    .argument("<file>", "the file (-: standard input)")
    .addOption(formatOption(["text", "json"]))
    .action(async (file: string, options: FormatOptions) => {
      const { inspect } = await import("./run-inspect.ts");
      await inspect(file, options, context);
    });
  command
    .command("lint")
    .description("what the authority's lints say of a certificate; exit 5 when one objects")
    .argument("<file>", "certificate, or a chain that begins with it (-: standard input)")
    .option("--issuer <file>", "certificate of its issuer")
    .addOption(
      new Option("--profile <profile>", "what it is meant to be (default: what it says)").choices([
        "leaf",
        "issuing",
        "root",
      ]),
    )
    .addOption(formatOption(["text", "json"]))
    .action(async (file: string, options: LintOptions) => {
      const { lint } = await import("./run-lint.ts");
      await lint(file, options, context);
    });
  command
    .command("verify")
    .description("verify a certificate as a peer would; exit 5 when it would be refused")
    .argument("<file>", "certificate, then its intermediates (-: standard input)")
    .requiredOption("--bundle <file>", "PEM: the roots to trust")
    .addOption(
      new Option("--purpose <purpose>", "as what it would be shown (default: both)").choices(["client", "server"]),
    )
    .option("--trust-domain <name>", "the trust domain whose roots these are (default: that of the certificate)")
    .addOption(formatOption(["text", "json"]))
    .action(async (file: string, options: VerifyOptions) => {
      const { verify } = await import("./run-verify.ts");
      await verify(file, options, context);
    });
  command
    .command("needs-renewal")
    .description("is it time to renew a certificate? Exit 10 when it is")
    .argument("<file>", "certificate, or a chain that begins with it (-: standard input)")
    .option("--at <part>", "the part of its life after which it is, 0.1 to 1", part, 0.5)
    .addOption(formatOption(["text", "json"]))
    .action(async (file: string, options: FormatOptions & { readonly at: number }) => {
      const { needsRenewal } = await import("./run-needs-renewal.ts");
      await needsRenewal(file, options, context);
    });
}

function part(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0.1 && value <= 1)) throw new InvalidArgumentError("expected 0.1 to 1");
  return value;
}
