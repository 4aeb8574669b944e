import { type Command, InvalidArgumentError, Option } from "commander";
import { longestPinSeconds } from "#authz/rulesets/build";
import { durationSeconds } from "../ca/duration.ts";
import type { CommandContext } from "../command.ts";
import { addRulesOptions, askRules, type RulesOptions } from "../request/ask-rules.ts";

interface Options extends RulesOptions {
  readonly for: number;
}

/** `garita pin COMMIT`: has a running service go back to a commit for some time. Exit 5 when the commit is refused. */
export function define(command: Command, context: CommandContext): void {
  addRulesOptions(command.argument("<commit>", "its name, or its first seven digits or more", commitName))
    .addOption(
      new Option("--for <duration>", "until the newest commit comes into force again, as `90s`, `30m`, `2h` or `7d`")
        .argParser(pinSeconds)
        .makeOptionMandatory(),
    )
    .action((commit: string, options: Options) =>
      askRules("/v1/pin", options, context, { commit, forSeconds: options.for }),
    );
}

function commitName(text: string): string {
  if (/^[0-9a-f]{7,64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError("expected seven hexadecimal digits of a commit's name, or more");
}

function pinSeconds(text: string): number {
  const seconds = durationSeconds(text);
  if (seconds <= longestPinSeconds) return seconds;
  throw new InvalidArgumentError("at most 7d: what should stay longer is a revert in the repository");
}
