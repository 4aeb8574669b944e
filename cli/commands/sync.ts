import { type Command, Option } from "commander";
import type { SyncAnswer } from "#authz/transport/admin/contract";
import { CodedError } from "#platform/coded-error";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../options.ts";
import { postToAdmin } from "../request/admin-door.ts";
import { UsageFault } from "../usage-fault.ts";

interface Options {
  readonly format: "text" | "json";
  readonly admin: string;
  readonly tokenFile?: string;
}

/** A fetch may be large, and the service ends it when it takes too long. */
const patienceMillis = 10 * 60 * 1000;

/** `garita sync`: has a running service ask the source of its policies now. Exit 5 when the newest state is not in force afterwards. */
export function define(command: Command, context: CommandContext): void {
  command
    .addOption(
      new Option(
        "--admin <address>",
        "the running service: http://host:port, or unix:PATH of its admin socket",
      ).makeOptionMandatory(),
    )
    .option("--token-file <file>", "the token that the service wants to see")
    .addOption(formatOption(["text", "json"]))
    .action(async ({ admin, tokenFile, format }: Options) => {
      const question = { admin, path: "/v1/sync", tokenFile, body: undefined, patienceMillis };
      const { status, body } = await postToAdmin(question);
      const answer = readAnswer(body);
      if (answer?.error?.message !== undefined) {
        throw new UsageFault(`the service answered ${status}: ${answer.error.message}`);
      }
      if (answer?.ok === undefined) {
        throw new CodedError("service/answer", `\`${admin}\` answered ${status}, not as an admin API does`);
      }
      context.write(format === "json" ? `${JSON.stringify(answer, undefined, 2)}\n` : render(answer));
      if (!answer.ok) context.finish(exitCodes.gate);
    });
}

function render({ result, commit, subject, author, signer, digest, message }: Partial<SyncAnswer>): string {
  const lines = [
    `${result}${message === undefined ? "" : `: ${message}`}`,
    ...(commit === undefined ? [] : [`in force: ${commit.slice(0, 12)} ${subject} (${author})`]),
    ...(signer === undefined ? [] : [`signed by: ${signer}`]),
    ...(digest === undefined ? ["no rule set is in force"] : [`digest: ${digest}`]),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

type Answer = Partial<SyncAnswer> & { readonly error?: { readonly message?: string } };

function readAnswer(body: string): Answer | undefined {
  try {
    return Object(JSON.parse(body)) as Answer;
  } catch {
    return undefined;
  }
}
