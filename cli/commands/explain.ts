import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addIstioLax, formatOption } from "../options.ts";
import { renderExplanation } from "../report/decision.ts";
import { askService } from "../request/ask-service.ts";
import { decideLocally } from "../request/decide-locally.ts";
import { type ExplainedDecision, explanationOf } from "../request/explanation.ts";
import { addRequestOptions, type RequestOptions } from "../request/options.ts";

interface Options extends RequestOptions {
  readonly format: "text" | "json";
  readonly istioLax: boolean;
  readonly exitCode?: boolean;
  readonly admin?: string;
}

/** `garita explain [FOLDER]`: decides one request and says why; with `--admin` a running service is asked instead of a folder. */
export function define(command: Command, context: CommandContext): void {
  addRequestOptions(addIstioLax(command))
    .argument("[folder]", "policy folder", ".")
    .addOption(formatOption(["text", "json"]))
    .option("--exit-code", "exit with 10 when the request is denied")
    .option("--admin <address>", "ask a running service: http://host:port, or unix:/path of its admin socket")
    .action(async (folder: string, options: Options) => {
      const explained =
        options.admin === undefined
          ? await explainLocally(folder, options, context)
          : await askService(options.admin, options, context);
      if (explained === undefined) return;
      context.write(
        options.format === "json" ? `${JSON.stringify(explained, undefined, 2)}\n` : renderExplanation(explained),
      );
      if (options.exitCode === true && explained.outcome === "deny") context.finish(exitCodes.denied);
    });
}

async function explainLocally(
  folder: string,
  options: Options,
  context: CommandContext,
): Promise<ExplainedDecision | undefined> {
  const decided = await decideLocally(folder, options, context);
  return decided && explanationOf(decided.asked.verdict, decided.asked.explain(), decided.digest);
}
