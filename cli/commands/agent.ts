import { type Command, InvalidArgumentError } from "commander";
import { keepHeapSmall } from "#platform/heap";
import { agentDefaults } from "../agent/defaults.ts";
import type { RunOptions } from "../agent/run-agent.ts";
import type { RenewOptions } from "../agent/run-renew.ts";
import type { StatusOptions } from "../agent/run-status.ts";
import type { CommandContext } from "../command.ts";
import { formatOption } from "../options.ts";

/** `garita agent`: keeps identities alive on the machine of their workloads. PERF: what a subcommand needs is loaded when it runs. */
export function define(command: Command, context: CommandContext): void {
  command
    .option("-c, --config <file>", "configuration", agentDefaults.configFile)
    .option("--drain <seconds>", "after a signal, how long streams may take to end", seconds, 5)
    .action(async (options: RunOptions) => {
      // ORDER: before what the agent is made of is loaded.
      keepHeapSmall();
      await (await import("../agent/run-agent.ts")).runAgent(options, context);
    });
  command
    .command("check-config")
    .description("say what is wrong with a configuration of the agent")
    .action(async (_options: object, { parent }: Command) =>
      (await import("../agent/check-config.ts")).checkAgentConfig(String(parent?.opts()["config"]), context),
    );
  command
    .command("status")
    .description("the identities of a running agent; exit 5 when one has no valid certificate")
    .option("--socket <path>", "its status socket", agentDefaults.statusSocket)
    .addOption(formatOption(["text", "json"]))
    .action(async (options: StatusOptions) => (await import("../agent/run-status.ts")).agentStatus(options, context));
  command
    .command("renew")
    .description("have a running agent renew its identities now; exit 10 when one was not")
    .option("--socket <path>", "its status socket", agentDefaults.statusSocket)
    .option("--id <spiffe-id>", "this one alone")
    .addOption(formatOption(["text", "json"]))
    .action(async (options: RenewOptions) => (await import("../agent/run-renew.ts")).agentRenew(options, context));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3600) throw new InvalidArgumentError("expected 0 to 3600");
  return value;
}
