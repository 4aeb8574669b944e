import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addAsOf, addIstioLax, addNoIndex, formatOption } from "../options.ts";
import { renderWithConditions } from "../report/decision.ts";
import { decideLocally, type LocalOptions } from "../request/decide-locally.ts";
import { explanationOf, seenFrom } from "../request/explanation.ts";
import { addRequestOptions } from "../request/options.ts";

interface Options extends LocalOptions {
  readonly format: "text" | "json";
  readonly exitCode?: boolean;
}

/** `garita eval [FOLDER]`: decides one request. Exit 10 for a denial under `--exit-code`. */
export function define(command: Command, context: CommandContext): void {
  addRequestOptions(addAsOf(addNoIndex(addIstioLax(command))))
    .argument("[folder]", "policy folder", ".")
    .addOption(formatOption(["text", "json"]))
    .option("--exit-code", "exit with 10 when the request is denied")
    .action(async (folder: string, options: Options) => {
      const decided = await decideLocally(folder, options, context);
      if (decided === undefined) return;
      const { asked, rules } = decided;
      const explained = seenFrom(folder, explanationOf(asked.verdict, asked.explain(), rules));
      const { applied: _a, authentications: _i, matched: _m, nearest, unknown: _u, ...rest } = explained;
      const short = { ...rest, nearest: nearest.filter(({ conditions }) => conditions.length > 0) };
      const text = () => renderWithConditions(explained);
      context.write(options.format === "json" ? `${JSON.stringify(short, undefined, 2)}\n` : text());
      if (options.exitCode === true && explained.outcome === "deny") context.finish(exitCodes.denied);
    });
}
