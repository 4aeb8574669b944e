import { type Command, Option } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addAsOf, addIstioLax, formatOption, wantsColour } from "../options.ts";
import { compileFolder } from "../policies/compile-folder.ts";
import { renderDiagnostics } from "../report/print.ts";
import { type DiagnosticFormat, diagnosticFormats, tally } from "../report/report.ts";
import { readVersion } from "../version.ts";

interface Options {
  readonly format: DiagnosticFormat;
  readonly failOn: "error" | "warning";
  readonly istioLax: boolean;
  readonly costs: boolean;
  readonly asOf?: string;
}

/** `garita check [FOLDER]`: what the compiler says, and what conditions cost. Exit 3 with an error; 5 with a warning under `--fail-on warning`. */
export function define(command: Command, context: CommandContext): void {
  addAsOf(addIstioLax(command))
    .argument("[folder]", "policy folder", ".")
    .addOption(formatOption(diagnosticFormats))
    .addOption(
      new Option("--fail-on <severity>", "severity that fails the command")
        .choices(["error", "warning"])
        .default("error"),
    )
    .option("--costs", "print the cost of each expression, not of the costliest alone", false)
    .action(async (folder: string, { format, failOn, istioLax, costs, asOf }: Options) => {
      const compiled = await compileFolder(folder, { istioLax, asOf, environment: context.environment });
      const version = await readVersion();
      const colour = wantsColour(context, "output");
      context.write(await renderDiagnostics(compiled, format, { colour, version, allCosts: costs }));
      const { errors, warnings } = tally(compiled.diagnostics);
      if (errors > 0) context.finish(exitCodes.invalidPolicy);
      else if (failOn === "warning" && warnings > 0) context.finish(exitCodes.gate);
    });
}
