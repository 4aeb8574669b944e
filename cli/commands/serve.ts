import { type Command, InvalidArgumentError } from "commander";
import { onSignals } from "#platform/lifecycle";
import { createLog } from "#platform/log";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { assemble } from "../serve/assemble.ts";
import { ConfigRefused, type Service, startService } from "../serve/start-service.ts";

interface Options {
  readonly config: string;
  readonly ruleset?: string;
  readonly linger: number;
  readonly drain: number;
}

/** `garita serve`: runs until a signal ends it. SIGHUP reads configuration, certificates and policies again. */
export function define(command: Command, context: CommandContext): void {
  command
    .option("-c, --config <file>", "configuration", "garita.yaml")
    .option(
      "--ruleset <file>",
      "take the rules from this file, written by `garita compile`, not from the policy folder",
    )
    .option("--linger <seconds>", "after a signal, how long to answer on so that proxies notice", seconds, 1)
    .option("--drain <seconds>", "then how long requests may take to finish", seconds, 8)
    .action((options: Options) => serve(options, context));
}

async function serve(options: Options, context: CommandContext): Promise<void> {
  const log = createLog({ level: "info" });
  let service: Service;
  try {
    service = await startService(await assemble({ ...options, environment: context.environment, log }));
  } catch (fault) {
    log.flush();
    if (!(fault instanceof ConfigRefused)) throw fault;
    context.writeError(`${fault.messages.join("\n")}\n`);
    context.finish(exitCodes.invalidPolicy);
    return;
  }
  await untilEnded(service, options, log.log);
  log.flush();
  // Nothing is left to be done; should something keep the process alive all the same, it ends anyway.
  setTimeout(() => process.exit(), lastMomentMillis).unref();
}

const lastMomentMillis = 2_000;

function untilEnded(
  service: Service,
  { linger, drain }: Options,
  log: { info(fields: object, message: string): void },
): Promise<void> {
  return new Promise((ended) => {
    const patience = { lingerMillis: linger * 1000, deadlineMillis: drain * 1000 };
    const forget = onSignals({
      stop(signal) {
        log.info({ signal }, "ending");
        void service.stop(patience).then(() => {
          forget();
          ended();
        });
      },
      abandon(signal) {
        log.info({ signal }, "ending at once");
        void service.stop({ lingerMillis: 0, deadlineMillis: 0 });
        process.exit(exitCodes.internal);
      },
      reload: () => void service.reload(),
    });
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3600) throw new InvalidArgumentError("expected 0 to 3600");
  return value;
}
