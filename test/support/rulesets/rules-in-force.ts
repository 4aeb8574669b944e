import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { snapshotOfRules } from "#authz/check/snapshot";
import type { RuleSource } from "#authz/rulesets/build";
import { createHolder } from "#authz/rulesets/holder";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync } from "#authz/rulesets/sync";
import { createLog, type Log } from "#platform/log";
import { handTimers } from "./hand-timers.ts";

export type HandTime = ReturnType<typeof handTimers>;

export interface RulesInForceOptions {
  readonly staleness?: StalenessSettings;
  /** Unset: one that begins with 2026. */
  readonly time?: HandTime;
}

/** What a source of a test is made with. */
export interface SourceParts extends Pick<HandTime, "clock" | "timers"> {
  readonly random: () => number;
  readonly log: Log;
  readonly prepare: typeof prepareEngine;
}

/** Rules of a source, as a service has them, without its doors, on a clock that stands still. Ends with the test. */
export function rulesInForce(
  t: TestContext,
  { staleness, time = handTimers() }: RulesInForceOptions,
  createSource: (parts: SourceParts) => RuleSource,
) {
  const { clock, timers } = time;
  const stream = new PassThrough();
  let logged = "";
  stream.on("data", (chunk: Buffer) => {
    logged += chunk.toString("utf8");
  });
  const { log } = createLog({ level: "info", stream });
  let prepared = 0;
  const prepare: typeof prepareEngine = (...given) => {
    prepared++;
    return prepareEngine(...given);
  };
  const holder = createHolder(() => undefined);
  const sync = createSync({
    source: createSource({ clock, timers, random: () => 0.5, log, prepare }),
    holder,
    prepare,
    equip: snapshotOfRules,
    nowMillis: clock.nowMillis,
    timers,
    staleness,
    log,
  });
  t.after(() => sync.stop());
  return {
    time,
    sync,
    load: () => sync.load(),
    status: () => sync.status(),
    snapshot: () => holder.snapshot(),
    /** What decisions call the rules. */
    commit: () => holder.snapshot()?.commit,
    code: () => sync.status().candidate?.code,
    logged: () => logged,
    /** How often compiled rules were prepared. */
    prepared: () => prepared,
  };
}
