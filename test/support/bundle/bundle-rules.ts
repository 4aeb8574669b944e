import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { snapshotOfRules } from "#authz/check/snapshot";
import { bundleSource } from "#authz/rulesets/bundle/bundle-source";
import type { BundleSettings } from "#authz/rulesets/bundle/settings";
import { createHolder } from "#authz/rulesets/holder";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync } from "#authz/rulesets/sync";
import { createLog } from "#platform/log";
import { handTimers } from "#test/support/git/hand-timers";

export interface BundleRulesOptions {
  /** Those that have no default here: where to ask, whom to believe, where to keep. */
  readonly settings: Pick<BundleSettings, "url" | "publicKeyFile" | "folder" | "caFile"> & Partial<BundleSettings>;
  readonly staleness?: StalenessSettings;
  readonly time?: ReturnType<typeof handTimers>;
}

/** Rules out of a server of bundles, as a service has them, without its doors. Ends with the test. */
export async function bundleRules(t: TestContext, options: BundleRulesOptions) {
  const time = options.time ?? handTimers();
  const stream = new PassThrough();
  let logged = "";
  stream.on("data", (chunk: Buffer) => {
    logged += chunk.toString("utf8");
  });
  const { log } = createLog({ level: "info", stream });
  const holder = createHolder(() => undefined);
  const source = bundleSource({
    settings: {
      name: undefined,
      tokenFile: undefined,
      pollMillis: 60_000,
      timeoutMillis: 20_000,
      maxBytes: 1024 * 1024,
      allowOlder: false,
      ...options.settings,
    },
    environment: {},
    prepare: prepareEngine,
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    log,
  });
  const sync = createSync({
    source,
    holder,
    prepare: prepareEngine,
    equip: snapshotOfRules,
    nowMillis: time.clock.nowMillis,
    timers: time.timers,
    staleness: options.staleness,
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
    revision: () => holder.snapshot()?.commit,
    code: () => sync.status().candidate?.code,
    logged: () => logged,
  };
}
