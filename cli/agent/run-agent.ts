import { randomInt } from "node:crypto";
import { systemClock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import { onSignals } from "#platform/lifecycle";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import type { CommandContext } from "../command.ts";
import { renderFinding } from "../config/codes.ts";
import { exitCodeOfConfig, exitCodes } from "../exit-codes.ts";
import { readVersion } from "../version.ts";
import { loadAgentConfig } from "./load-config.ts";
import { type RunningAgent, startAgent } from "./start-agent.ts";

export interface RunOptions {
  readonly config: string;
  readonly drain: number;
}

/**
 * `garita agent`: runs until a signal ends it. SIGHUP reads the configuration again: a good one takes the place of the old one, whose streams end and come again to the new; one with a fault, or that cannot be
 * started, changes nothing.
 */
export async function runAgent({ config: file, drain }: RunOptions, context: CommandContext): Promise<void> {
  const read = await loadAgentConfig(file, context.environment);
  if (!read.ok) {
    context.writeError(`${read.findings.map(renderFinding).join("\n")}\n`);
    context.finish(exitCodeOfConfig(read.findings));
    return;
  }
  const output = createLog({ level: read.config.logging.level });
  const { log } = output;
  const version = await readVersion();
  // ORDER: signals are heard before anything is started, for a signal that nobody hears ends the process.
  const asked = Promise.withResolvers<NodeJS.Signals>();
  let config = read.config;
  let agent: RunningAgent | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const start = () => startAgent({ config, version, clock: systemClock, timers: systemTimers, chance, log });
  const reload = async () => {
    const next = await loadAgentConfig(file, context.environment);
    if (!next.ok) {
      log.error({ findings: next.findings.map(renderFinding) }, "the configuration has a fault: nothing was changed");
      return;
    }
    const old = config;
    await agent?.stop(drain * 1000);
    config = next.config;
    try {
      agent = await start();
      output.setLevel(config.logging.level);
      log.info("configuration reloaded");
    } catch (fault) {
      log.error({ fault: messageOf(fault) }, "the new configuration cannot be started: the old one runs on");
      config = old;
      agent = await start();
    }
  };
  const inTurn = (run: () => Promise<void>) => {
    turn = turn.then(run).catch((fault: unknown) => {
      log.fatal({ fault: messageOf(fault) }, "the agent cannot go on");
      asked.resolve("SIGTERM");
      context.finish(exitCodes.internal);
    });
  };
  const forget = onSignals({
    stop: asked.resolve,
    abandon(signal) {
      log.info({ signal }, "ending at once");
      output.flush();
      process.exit(exitCodes.internal);
    },
    reload: () => inTurn(reload),
  });
  try {
    const starting = start();
    // ORDER: who asks for a reload meanwhile has it after the start.
    turn = starting.catch(() => undefined);
    agent = await starting;
    log.info({ signal: await asked.promise }, "ending");
    await turn;
    await agent.stop(drain * 1000);
    // Nothing is left to be done; should something keep the process alive all the same, it ends anyway.
    setTimeout(() => process.exit(), lastMomentMillis).unref();
  } finally {
    forget();
    output.flush();
  }
}

const lastMomentMillis = 2_000;

/** Spread, and nothing that would have to be kept from anybody. */
function chance(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
