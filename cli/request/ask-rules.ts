import type { Command } from "commander";
import { Option } from "commander";
import type { SyncAnswer } from "#authz/transport/admin/contract";
import { CodedError } from "#platform/coded-error";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../options.ts";
import { UsageFault } from "../usage-fault.ts";
import { postToAdmin } from "./admin-door.ts";

/** Where the running service is asked, and how its answer is printed. */
export interface RulesOptions {
  readonly format: "text" | "json";
  readonly admin: string;
  readonly tokenFile?: string;
}

/** A fetch may be large, and the service ends it when it takes too long. */
const patienceMillis = 10 * 60 * 1000;

/** The options of `RulesOptions`. */
export function addRulesOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--admin <address>",
        "the running service: http://host:port, or unix:PATH of its admin socket",
      ).makeOptionMandatory(),
    )
    .option("--token-file <file>", "the token that the service wants to see")
    .addOption(formatOption(["text", "json"]));
}

/**
 * Has a running service change which rules are in force, and prints which are then. Exit 5 when they are not those that were asked for. Fails with `UsageFault` when
 * the service does not take the question, with `service/unreachable` or `service/answer`.
 */
export async function askRules(
  path: "/v1/sync" | "/v1/pin" | "/v1/unpin",
  { admin, tokenFile, format }: RulesOptions,
  context: CommandContext,
  question?: object,
): Promise<void> {
  const sent = question && JSON.stringify(question);
  const { status, body } = await postToAdmin({ admin, path, tokenFile, body: sent, patienceMillis });
  const answer = readAnswer(body);
  if (answer?.error?.message !== undefined) {
    throw new UsageFault(`the service answered ${status}: ${answer.error.message}`);
  }
  if (!isAnswer(answer)) {
    throw new CodedError("service/answer", `\`${admin}\` answered ${status}, not as an admin API does`);
  }
  context.write(format === "json" ? `${JSON.stringify(answer, undefined, 2)}\n` : render(answer));
  if (!answer.ok) context.finish(exitCodes.gate);
}

function render(answer: Partial<SyncAnswer>): string {
  const { result, commit, subject, author, signer, digest, code, message, refused } = answer;
  const { pinnedUntilMillis, expiresMillis } = answer;
  const why = message === undefined ? "" : `: ${message}`;
  const lines = [
    `${result}${why}${code === undefined ? "" : ` [${code}]`}`,
    ...(refused === undefined
      ? []
      : [`refused commit: ${revisionText(refused.commit, refused.subject, refused.author)}`]),
    ...(commit === undefined ? [] : [`in force: ${revisionText(commit, subject, author)}`]),
    ...(pinnedUntilMillis === undefined ? [] : [`pinned until: ${new Date(pinnedUntilMillis).toISOString()}`]),
    ...(signer === undefined ? [] : [`signed by: ${signer}`]),
    ...(expiresMillis === undefined ? [] : [`expires: ${new Date(expiresMillis).toISOString()}`]),
    ...(digest === undefined ? ["no rule set is in force"] : [`digest: ${digest}`]),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

/** A commit with its subject; the revision of a bundle as it stands. */
function revisionText(commit: string, subject: string | undefined, author: string | undefined): string {
  return subject === undefined ? commit : `${commit.slice(0, 12)} ${subject} (${author})`;
}

const texts = ["commit", "subject", "author", "signer", "digest", "code", "message"] as const;

/** As much as is shown: what answers may be another program. */
function isAnswer(answer: Answer | undefined): answer is Answer & Pick<SyncAnswer, "ok" | "result"> {
  if (typeof answer?.ok !== "boolean" || typeof answer.result !== "string") return false;
  const { pinnedUntilMillis = 0 } = answer;
  return (
    texts.every((name) => answer[name] === undefined || typeof answer[name] === "string") &&
    !Number.isNaN(new Date(pinnedUntilMillis).getTime())
  );
}

type Answer = Partial<SyncAnswer> & { readonly error?: { readonly message?: string } };

function readAnswer(body: string): Answer | undefined {
  try {
    return Object(JSON.parse(body)) as Answer;
  } catch {
    return undefined;
  }
}
