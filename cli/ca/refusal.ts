import { type RefusalCode, refusals } from "#ca/refusals";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";

/** What an authority said instead of doing it. */
export class ServiceRefusal extends Error {
  /** Of HTTP. */
  readonly status: number;
  readonly code: string;
  readonly explanationId: string | undefined;

  constructor(said: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly explanationId: string | undefined;
  }) {
    super(said.message);
    this.name = "ServiceRefusal";
    this.status = said.status;
    this.code = said.code;
    this.explanationId = said.explanationId;
  }
}

/** Runs what asks an authority; a refusal is told on standard error and ends the command with its status. */
export async function tellingRefusals(context: CommandContext, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (fault) {
    if (!(fault instanceof ServiceRefusal)) throw fault;
    context.writeError(`garita: ${printable(`${fault.message} [${fault.code}]`)}\n`);
    const row = rowOf(fault.code);
    if (row !== undefined) context.writeError(`  ${row.help}\n`);
    if (fault.explanationId !== undefined) {
      context.writeError(`  \`garita ca explain ${printable(fault.explanationId)}\` tells every check\n`);
    }
    context.finish(exitCodeOfRefusal(fault));
  }
}

/**
 * 10 where the authority decided against it, so that asking again changes nothing; 1 where it could not (busy, no authority in force, a root that ends soon, a
 * defect); 2 where what was asked does not exist or cannot be understood.
 */
export function exitCodeOfRefusal({ status, code }: { readonly status: number; readonly code: string }): ExitCode {
  const row = rowOf(code);
  if (status >= 500 || status === 429 || status === 409) return exitCodes.internal;
  if (row !== undefined || status === 401 || status === 403) return exitCodes.denied;
  return exitCodes.usage;
}

function rowOf(code: string): (typeof refusals)[RefusalCode] | undefined {
  return Object.hasOwn(refusals, code) ? refusals[code as RefusalCode] : undefined;
}
