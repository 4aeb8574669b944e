import { rename, writeFile } from "node:fs/promises";
import type { Command } from "commander";
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
      const compiled = await compileFolder(folder, { istioLax });
      if (compiled.diagnostics.some((d) => d.severity !== "note")) {
        const version = await readVersion();
        context.writeError(await renderDiagnostics(compiled, "text", { colour: wantsColour(context), version }));
      }
      if (compiled.built === undefined) {
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      const { bytes, digest } = compiled.built;
      const draft = `${output}.${process.pid}.part`;
      await writeFile(draft, bytes);
      await rename(draft, output);
      context.write(`${digest}  ${output}\n`);
    });
}
