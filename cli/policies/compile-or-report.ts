import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { wantsColour } from "../options.ts";
import { renderDiagnostics } from "../report/print.ts";
import { readVersion } from "../version.ts";
import { type BuiltFolder, compileFolder } from "./compile-folder.ts";

/** A folder's compiled rules. Undefined: it is not valid; what is wrong was written and the exit status set. */
export async function compileOrReport(
  folder: string,
  options: { readonly istioLax: boolean; readonly asOf?: string | undefined },
  context: CommandContext,
): Promise<BuiltFolder | undefined> {
  const compiled = await compileFolder(folder, { ...options, environment: context.environment });
  if (compiled.built !== undefined) return compiled.built;
  const colour = wantsColour(context, "errors");
  context.writeError(await renderDiagnostics(compiled, "text", { colour, version: await readVersion() }));
  context.finish(exitCodes.invalidPolicy);
  return undefined;
}
