import { systemClock } from "#platform/clock";
import type { CommandContext } from "../command.ts";
import { engineOf } from "../policies/compile-folder.ts";
import { compileOrReport } from "../policies/compile-or-report.ts";
import { UsageFault } from "../usage-fault.ts";
import { type Asked, ask } from "./ask.ts";
import type { RulesAsked } from "./explanation.ts";
import { localEnvironment } from "./local-environment.ts";
import { checkOf, type RequestOptions } from "./options.ts";

/** A request that was decided by a folder's policies. */
export interface DecidedLocally {
  readonly asked: Extract<Asked, { ok: true }>;
  readonly rules: RulesAsked;
}

/** What commands that decide by a folder take. */
export interface LocalOptions extends RequestOptions {
  readonly istioLax: boolean;
  readonly index: boolean;
  readonly asOf?: string;
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
  const built = await compileOrReport(folder, options, context);
  if (built === undefined) return undefined;
  const { check, providers } = await checkOf(options, context);
  const environment = await localEnvironment(engineOf(built, options), systemClock.nowMillis, providers);
  const asked = await ask(check, environment);
  if (asked.ok) return { asked, rules: built };
  throw new UsageFault(`the request cannot be read: ${asked.fault}`);
}
