import type { Command } from "commander";
import { Option } from "commander";
import type { SyncAnswer } from "#authz/transport/admin/contract";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../options.ts";
import { fieldsOf, labelled, revisionText } from "../report/answer-fields.ts";
import { askAdmin } from "./admin-door.ts";

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

/** Has a running service change which rules are in force, and prints which are then. Exit 5 when they are not those that were asked for. Fails like `askAdmin`. */
export async function askRules(
  path: "/v1/sync" | "/v1/pin" | "/v1/unpin",
  { admin, tokenFile, format }: RulesOptions,
  context: CommandContext,
  question?: object,
): Promise<void> {
  const body = question && JSON.stringify(question);
  const answer = await askAdmin({ admin, method: "POST", path, tokenFile, body, patienceMillis }, isAnswer);
  context.write(format === "json" ? `${JSON.stringify(answer, undefined, 2)}\n` : render(answer));
  if (!answer.ok) context.finish(exitCodes.gate);
}

function render(answer: Answer): string {
  const fields = fieldsOf(answer);
  const code = fields.text("code");
  const lines = [
    [answer.result, fields.text("message")].filter((text) => text !== undefined).join(": ") +
      (code === undefined ? "" : ` [${code}]`),
    ...labelled("refused commit", revisionText(fields, "refused.")),
    ...labelled("in force", revisionText(fields)),
    ...labelled("pinned until", fields.time("pinnedUntilMillis")),
    ...labelled("signed by", fields.text("signer")),
    ...labelled("expires", fields.time("expiresMillis")),
    ...(fields.has("digest") ? labelled("digest", fields.text("digest")) : ["no rule set is in force"]),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

/** As much as decides; the rest is looked at where it is shown. */
function isAnswer(found: object): found is Answer {
  const answer: Partial<SyncAnswer> = found;
  return typeof answer.ok === "boolean" && typeof answer.result === "string";
}

type Answer = Pick<SyncAnswer, "ok" | "result">;
