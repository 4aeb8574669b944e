import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import { systemClock } from "#platform/clock";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { wantsColour } from "../options.ts";
import { compileFolder, engineOf } from "../policies/compile-folder.ts";
import { renderDiagnostics } from "../report/print.ts";
import { UsageFault } from "../usage-fault.ts";
import { readVersion } from "../version.ts";
import { type Asked, ask } from "./ask.ts";
import { checkOf, type RequestOptions } from "./options.ts";

/** A request that was decided by a folder's policies. */
export interface DecidedLocally {
  readonly asked: Extract<Asked, { ok: true }>;
  readonly digest: string;
}

/** What commands that decide by a folder take. */
export interface LocalOptions extends RequestOptions {
  readonly istioLax: boolean;
  readonly index: boolean;
}

/**
 * Compiles a folder and decides one request by it. Undefined: the policies are not valid; what is wrong was written and the exit status
 * set. Fails with `UsageFault`.
 */
export async function decideLocally(
  folder: string,
  options: LocalOptions,
  context: CommandContext,
): Promise<DecidedLocally | undefined> {
  const compiled = await compileFolder(folder, options);
  if (compiled.built === undefined) {
    const colour = wantsColour(context, "errors");
    context.writeError(await renderDiagnostics(compiled, "text", { colour, version: await readVersion() }));
    context.finish(exitCodes.invalidPolicy);
    return undefined;
  }
  const snapshot = snapshotOfRules(engineOf(compiled.built, options));
  const environment = { snapshot, nowMillis: systemClock.nowMillis, tokens: noVerification };
  const asked = await ask(await checkOf(options, context), environment);
  if (asked.ok) return { asked, digest: compiled.built.digest };
  throw new UsageFault(`the request cannot be read: ${asked.fault}`);
}
