import { type Command, InvalidArgumentError } from "commander";
import { boundYoungHeap, keepRequestsYoung } from "#platform/heap";
import { onSignals } from "#platform/lifecycle";
import { createLog } from "#platform/log";
import type { CommandContext } from "../command.ts";
import { exitCodeOfConfig, exitCodes } from "../exit-codes.ts";
import { addNoIndex } from "../options.ts";
import { assemble } from "../serve/assemble.ts";
import { ConfigRefused, type Service } from "../serve/contract.ts";
import { startService } from "../serve/start-service.ts";

interface Options {
  readonly config: string;
  readonly ruleset?: string;
  readonly index: boolean;
  readonly linger: number;
  readonly drain: number;
}

/** `garita serve`: runs until a signal ends it. SIGHUP reads configuration, certificates and policies again. */
export function define(command: Command, context: CommandContext): void {
  addNoIndex(command)
    .option("-c, --config <file>", "configuration", "garita.yaml")
    .option(
      "--ruleset <file>",
      "take the rules from this file, written by `garita compile`, not from the policy folder",
    )
    .option("--linger <seconds>", "after a signal, how long to answer on so that proxies notice", seconds, 1)
    .option("--drain <seconds>", "then how long requests may take to finish", seconds, 8)
    .action((options: Options) => serve(options, context));
}

async function serve({ linger, drain, ...options }: Options, context: CommandContext): Promise<void> {
  keepRequestsYoung();
  boundYoungHeap();
  const output = createLog({ level: "info" });
  const { log } = output;
  // ORDER: signals are heard before anything is started, for a signal that nobody hears ends the process.
  const asked = Promise.withResolvers<NodeJS.Signals>();
  let service: Service | undefined;
  let reloadAsked = false;
  const forget = onSignals({
    stop: asked.resolve,
    abandon(signal) {
      log.info({ signal }, "ending at once");
      output.flush();
      process.exit(exitCodes.internal);
    },
    reload() {
      reloadAsked = true;
      void service?.reload();
    },
  });
  try {
    service = await startService(await assemble({ ...options, environment: context.environment, log: output }));
    if (reloadAsked) void service.reload();
    log.info({ signal: await asked.promise }, "ending");
    await service.stop({ lingerMillis: linger * 1000, deadlineMillis: drain * 1000 });
    // Nothing is left to be done; should something keep the process alive all the same, it ends anyway.
    setTimeout(() => process.exit(), lastMomentMillis).unref();
  } catch (fault) {
    if (!(fault instanceof ConfigRefused)) throw fault;
    context.writeError(`${fault.messages.join("\n")}\n`);
    context.finish(exitCodeOfConfig(fault.findings));
  } finally {
    forget();
    output.flush();
  }
}

const lastMomentMillis = 2_000;

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3600) throw new InvalidArgumentError("expected 0 to 3600");
  return value;
}
