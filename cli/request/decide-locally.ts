import { messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { wantsColour } from "../options.ts";
import { compileFolder, engineOf } from "../policies/compile-folder.ts";
import { renderDiagnostics } from "../report/print.ts";
import { readVersion } from "../version.ts";
import { type Asked, ask } from "./ask.ts";
import { checkOf, RequestFault, type RequestOptions } from "./options.ts";

/** A request that was decided by a folder's policies. */
export interface DecidedLocally {
  readonly asked: Extract<Asked, { ok: true }>;
  readonly digest: string;
}

/**
 * Compiles a folder and decides one request by it. Undefined: it could not be asked; what is wrong was written and the exit status set.
 */
export async function decideLocally(
  folder: string,
  options: RequestOptions & { readonly istioLax: boolean },
  context: CommandContext,
): Promise<DecidedLocally | undefined> {
  const compiled = await compileFolder(folder, options);
  if (compiled.built === undefined) {
    const version = await readVersion();
    context.writeError(await renderDiagnostics(compiled, "text", { colour: wantsColour(context), version }));
    context.finish(exitCodes.invalidPolicy);
    return undefined;
  }
  try {
    const asked = ask(await checkOf(options), { engine: engineOf(compiled.built) });
    if (asked.ok) return { asked, digest: compiled.built.digest };
    throw new RequestFault(`the request cannot be read: ${asked.fault}`);
  } catch (fault) {
    if (!(fault instanceof RequestFault)) throw fault;
    context.writeError(`garita: ${messageOf(fault)}\n`);
    context.finish(exitCodes.usage);
    return undefined;
  }
}
