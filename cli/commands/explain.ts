import { type Command, Option } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addAsOf, addIstioLax, addNoIndex, formatOption } from "../options.ts";
import { renderExplanation } from "../report/decision.ts";
import { askService } from "../request/ask-service.ts";
import { decideLocally, type LocalOptions } from "../request/decide-locally.ts";
import { type ExplainedDecision, explanationOf, seenFrom } from "../request/explanation.ts";
import { addRequestOptions } from "../request/options.ts";
import { UsageFault } from "../usage-fault.ts";

interface Options extends LocalOptions {
  readonly format: "text" | "json";
  readonly exitCode?: boolean;
  readonly admin?: string;
  readonly tokenFile?: string;
}

/** `garita explain [FOLDER]`: decides one request and says why; with `--admin` a running service is asked instead of a folder. */
export function define(command: Command, context: CommandContext): void {
  addRequestOptions(addAsOf(addNoIndex(addIstioLax(command))))
    .argument("[folder]", 'policy folder (default: ".")')
    .addOption(formatOption(["text", "json"]))
    .option("--exit-code", "exit with 10 when the request is denied")
    .addOption(
      new Option(
        "--admin <address>",
        "ask a running service: http://host:port, or unix:PATH of its admin socket; files are named as in its policy folder",
      ).conflicts(["istioLax", "index", "checkRequest", "asOf"]),
    )
    .option("--token-file <file>", "with --admin: the token that the service wants to see")
    .action(async (folder: string | undefined, options: Options) => {
      const explained = await explain(folder, options, context);
      if (explained === undefined) return;
      context.write(
        options.format === "json" ? `${JSON.stringify(explained, undefined, 2)}\n` : renderExplanation(explained),
      );
      if (options.exitCode === true && explained.outcome === "deny") context.finish(exitCodes.denied);
    });
}

async function explain(
  folder: string | undefined,
  options: Options,
  context: CommandContext,
): Promise<ExplainedDecision | undefined> {
  const { admin } = options;
  if (admin === undefined) return explainLocally(folder ?? ".", options, context);
  if (folder !== undefined) {
    throw new UsageFault(`expected a folder or --admin, found \`${folder}\` and \`${admin}\``, { hinted: true });
  }
  return askService(admin, options, context);
}

async function explainLocally(
  folder: string,
  options: Options,
  context: CommandContext,
): Promise<ExplainedDecision | undefined> {
  const decided = await decideLocally(folder, options, context);
  if (decided === undefined) return undefined;
  const { asked, rules } = decided;
  return seenFrom(folder, explanationOf(asked.verdict, asked.explain(), rules));
}
