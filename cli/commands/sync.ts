import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { addRulesOptions, askRules, type RulesOptions } from "../request/ask-rules.ts";

/** `garita sync`: has a running service ask the source of its policies now. Exit 5 when the newest state is not in force afterwards. */
export function define(command: Command, context: CommandContext): void {
  addRulesOptions(command).action((options: RulesOptions) => askRules("/v1/sync", options, context));
}
