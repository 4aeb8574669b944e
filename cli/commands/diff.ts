import { type Command, InvalidArgumentError, Option } from "commander";
import { compareDocuments } from "#policy-compiler/compare/compare-documents";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import type { CommandContext } from "../command.ts";
import { defaultChanges } from "../diff/default-changes.ts";
import { type PolicyState, readState } from "../diff/read-state.ts";
import { exitCodes } from "../exit-codes.ts";
import { addIstioLax, formatOption, wantsColour } from "../options.ts";
import { commentCharacters, type DiffFormat, diffFormats, renderDiff } from "../report/diff.ts";
import { renderDiagnostics } from "../report/print.ts";
import { readVersion } from "../version.ts";

interface Options {
  readonly folder: string;
  readonly format: DiffFormat;
  readonly istioLax: boolean;
  readonly maxCharacters: number;
  readonly exitCode?: boolean;
}

/** `garita diff BEFORE [AFTER]`: what differs between two policy states, in words. Exit 3 when one is not valid; 10 for a difference under `--exit-code`. */
export function define(command: Command, context: CommandContext): void {
  addIstioLax(command)
    .argument(
      "<before>",
      "policy folder, or revision of the Git repository around --folder; REVISION:PATH for another folder",
    )
    .argument("[after]", "the same; without it --folder as it stands")
    .option("--folder <folder>", "policy folder that revisions are of", ".")
    .addOption(formatOption(diffFormats))
    .addOption(
      new Option(
        "--max-characters <count>",
        "where markdown is cut, at the end of a line; a comment at GitHub takes the default",
      )
        .argParser(readCharacters)
        .default(commentCharacters),
    )
    .option("--exit-code", "exit with 10 when anything differs")
    .action(async (older: string, newer: string | undefined, chosen: Options) => {
      const { folder, format, istioLax, maxCharacters, exitCode } = chosen;
      const options = { folder, istioLax, environment: context.environment };
      const before = await readState(older, options);
      const after = await readState(newer, options);
      const old = await validOrReport(before, context);
      const now = await validOrReport(after, context);
      if (old === undefined || now === undefined) return;
      const decoded = (state: PolicyState) => decodeDocuments(state.compiled.files, { istioLax });
      const changes = compareDocuments(decoded(before), decoded(after));
      const defaults = defaultChanges(old.ruleSet, now.ruleSet);
      context.write(renderDiff({ before, after, changes, defaults }, format, maxCharacters));
      if (exitCode === true && changes.length > 0) context.finish(exitCodes.denied);
    });
}

function readCharacters(text: string): number {
  if (/^[1-9]\d{3,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected 1000 to 999999999");
}

/** What is not valid has documents that cannot be told: a comparison would call them removed. */
async function validOrReport(
  { compiled, name }: PolicyState,
  context: CommandContext,
): Promise<PolicyState["compiled"]["built"]> {
  if (compiled.built !== undefined) return compiled.built;
  const colour = wantsColour(context, "errors");
  const told = await renderDiagnostics(compiled, "text", { colour, version: await readVersion() });
  context.writeError(`${told}nothing is compared: \`${name}\` is not valid\n`);
  context.finish(exitCodes.invalidPolicy);
  return undefined;
}
