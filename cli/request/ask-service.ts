import { CodedError } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import { postToAdmin } from "./admin-door.ts";
import type { ExplainedDecision } from "./explanation.ts";
import { describedBy, type RequestOptions } from "./options.ts";

/** A service that does not answer for so long is given up. */
const patienceMillis = 30_000;

/**
 * Has a running service explain a request over its admin API. Fails with `UsageFault` when the service refuses the request, with
 * `service/unreachable` when it cannot be asked, with `service/answer` when what answers is not its admin API.
 */
export async function askService(
  admin: string,
  options: RequestOptions & { readonly tokenFile?: string },
  context: CommandContext,
): Promise<ExplainedDecision> {
  const body = JSON.stringify(await describedBy(options, context));
  const answer = await postToAdmin({ admin, path: "/v1/explain", tokenFile: options.tokenFile, body, patienceMillis });
  const read = readAnswer(answer.body);
  if (answer.status === 200 && isExplained(read)) return read;
  const message = read?.error?.message;
  if (answer.status === 200 || message === undefined) {
    throw new CodedError("service/answer", `\`${admin}\` answered ${answer.status}, not as an admin API does`);
  }
  throw new UsageFault(`the service answered ${answer.status}: ${message}`);
}

type Answer = Partial<ExplainedDecision> & { readonly error?: { readonly message?: string } };

/** As much as is read without looking again; the rest is told as it came. */
function isExplained(answer: Answer | undefined): answer is ExplainedDecision {
  if (answer?.outcome !== "allow" && answer?.outcome !== "deny") return false;
  return (
    [answer.applied, answer.authentications, answer.matched, answer.conditions, answer.nearest, answer.unknown].every(
      Array.isArray,
    ) && answer.dryRun !== undefined
  );
}

function readAnswer(body: string): Answer | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Answer) : undefined;
  } catch {
    return undefined;
  }
}
