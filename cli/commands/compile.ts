import type { Command } from "commander";
import { writeWhole } from "#platform/write-whole";
import type { CommandContext } from "../command.ts";
import { addIstioLax } from "../options.ts";
import { compileAndTell } from "../policies/compile-and-tell.ts";

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
      const compiled = await compileAndTell(folder, { istioLax }, context);
      if (compiled === undefined) return;
      await writeWhole(output, compiled.bytes);
      context.write(`${compiled.digest}  ${output}\n`);
    });
}
