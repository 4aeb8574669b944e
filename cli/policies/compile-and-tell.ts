import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { wantsColour } from "../options.ts";
import { renderDiagnostics } from "../report/print.ts";
import { readVersion } from "../version.ts";
import { type CompiledFolder, compileFolder } from "./compile-folder.ts";

export type CompiledRules = NonNullable<CompiledFolder["built"]> & { readonly files: CompiledFolder["files"] };

/** A folder's compiled rules, for a command that writes them. Warnings are told too. Undefined: it is not valid, and the exit status is set. */
export async function compileAndTell(
  folder: string,
  options: { readonly istioLax: boolean },
  context: CommandContext,
): Promise<CompiledRules | undefined> {
  const compiled = await compileFolder(folder, { ...options, environment: context.environment });
  if (compiled.diagnostics.some((d) => d.severity !== "note")) {
    const colour = wantsColour(context, "errors");
    context.writeError(await renderDiagnostics(compiled, "text", { colour, version: await readVersion() }));
  }
  if (compiled.built === undefined) {
    context.finish(exitCodes.invalidPolicy);
    return undefined;
  }
  return { ...compiled.built, files: compiled.files };
}
