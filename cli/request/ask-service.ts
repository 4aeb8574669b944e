import type { CommandContext } from "../command.ts";
import { askAdmin } from "./admin-door.ts";
import type { ExplainedDecision } from "./explanation.ts";
import { describedBy, type RequestOptions } from "./options.ts";

/** A service that does not answer for so long is given up. */
const patienceMillis = 30_000;

/** Has a running service explain a request over its admin API. Fails like `askAdmin`. */
export async function askService(
  admin: string,
  options: RequestOptions & { readonly tokenFile?: string },
  context: CommandContext,
): Promise<ExplainedDecision> {
  const body = JSON.stringify(await describedBy(options, context));
  const { tokenFile } = options;
  return askAdmin({ admin, method: "POST", path: "/v1/explain", tokenFile, body, patienceMillis }, isExplained);
}

/** As much as is read without looking again; the rest is told as it came. */
function isExplained(found: object): found is ExplainedDecision {
  const answer: Partial<ExplainedDecision> = found;
  if (answer.outcome !== "allow" && answer.outcome !== "deny") return false;
  return (
    [answer.applied, answer.authentications, answer.matched, answer.conditions, answer.nearest, answer.unknown].every(
      Array.isArray,
    ) && answer.dryRun !== undefined
  );
}
