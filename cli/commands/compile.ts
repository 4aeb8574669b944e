import type { Command } from "commander";
import { writeWhole } from "#platform/write-whole";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addIstioLax, wantsColour } from "../options.ts";
import { compileFolder } from "../policies/compile-folder.ts";
import { renderDiagnostics } from "../report/print.ts";
import { readVersion } from "../version.ts";

interface Options {
  readonly output: string;
  readonly istioLax: boolean;
}

/** `garita compile [FOLDER] -o FILE`: writes the rule set's bytes for `serve --ruleset`, whole or not at all, and prints the digest. */
export function define(command: Command, context: CommandContext): void {
  addIstioLax(command)
    .argument("[folder]", "policy folder", ".")
    .requiredOption("-o, --output <file>", "file for the compiled rules")
    .action(async (folder: string, { output, istioLax }: Options) => {
      const compiled = await compileFolder(folder, { istioLax, environment: context.environment });
      if (compiled.diagnostics.some((d) => d.severity !== "note")) {
        const colour = wantsColour(context, "errors");
        context.writeError(await renderDiagnostics(compiled, "text", { colour, version: await readVersion() }));
      }
      if (compiled.built === undefined) {
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      await writeWhole(output, compiled.built.bytes);
      context.write(`${compiled.built.digest}  ${output}\n`);
    });
}
