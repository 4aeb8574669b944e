import type { Command } from "commander";
import type { StatusPage } from "#authz/transport/admin/contract";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { renderStatus } from "../report/status.ts";
import { askAdmin } from "../request/admin-door.ts";
import { addRulesOptions, type RulesOptions } from "../request/ask-rules.ts";

/** A service that does not answer for so long is given up. */
const patienceMillis = 30_000;

type Standing = { readonly rules: Pick<StatusPage["rules"], "ready" | "current"> };

/** `garita status`: what a running service decides by, and what an operator should look at. Exit 5 when it does not decide by the newest policies. */
export function define(command: Command, context: CommandContext): void {
  addRulesOptions(command).action(async ({ admin, tokenFile, format }: RulesOptions) => {
    const question = { admin, method: "GET", path: "/v1/status", tokenFile, body: undefined, patienceMillis } as const;
    const page = await askAdmin(question, isPage);
    context.write(format === "json" ? `${JSON.stringify(page, undefined, 2)}\n` : renderStatus(page));
    if (!page.rules.ready || !page.rules.current) context.finish(exitCodes.gate);
  });
}

function isPage(found: object): found is Standing {
  const { rules } = found as { readonly rules?: Partial<Standing["rules"]> | null };
  return typeof rules?.ready === "boolean" && typeof rules.current === "boolean";
}
