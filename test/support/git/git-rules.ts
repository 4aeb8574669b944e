import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { snapshotOfRules } from "#authz/check/snapshot";
import { gitSource } from "#authz/rulesets/git/git-source";
import type { GitSettings } from "#authz/rulesets/git/settings";
import { createHolder } from "#authz/rulesets/holder";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync } from "#authz/rulesets/sync";
import { createLog } from "#platform/log";
import { tempFolder } from "#test/support/service/temp-folder";
import { handTimers } from "./hand-timers.ts";

const testModule = new URL("../../../cli/policies/test-module.ts", import.meta.url).href;

/** Settings of a source of this URL, with its folder inside `folder`. */
export function gitSettings(url: string, folder: string, more: Partial<GitSettings> = {}): GitSettings {
  return {
    url,
    reference: { kind: "branch", name: "main" },
    path: "",
    folder,
    credentials: {
      sshKeyFile: undefined,
      knownHostsFile: undefined,
      tokenFile: undefined,
      username: "git",
      caFile: undefined,
    },
    timeoutMillis: 60_000,
    maxMirrorBytes: 1024 ** 3,
    pollMillis: 60_000,
    allowForced: false,
    signatures: undefined,
    tests: "report",
    ...more,
  };
}

export interface GitRulesOptions {
  /** Where the mirror is; unset: a folder of its own. */
  readonly folder?: string;
  readonly settings?: Partial<GitSettings>;
  readonly staleness?: StalenessSettings;
  readonly time?: ReturnType<typeof handTimers>;
  readonly outside?: Readonly<Record<string, string | undefined>>;
}

/** Rules out of a repository, as a service has them, without its doors. Ends with the test. */
export async function gitRules(t: TestContext, url: string, options: GitRulesOptions = {}) {
  const folder = options.folder ?? (await tempFolder(t));
  const time = options.time ?? handTimers();
  const stream = new PassThrough();
  let logged = "";
  stream.on("data", (chunk: Buffer) => {
    logged += chunk.toString("utf8");
  });
  const { log } = createLog({ level: "info", stream });
  const holder = createHolder(() => undefined);
  const source = gitSource({
    settings: gitSettings(url, folder, options.settings),
    outside: options.outside ?? { PATH: process.env["PATH"] },
    testModule,
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
    folder,
    time,
    sync,
    load: () => sync.load(),
    status: () => sync.status(),
    snapshot: () => holder.snapshot(),
    commit: () => holder.snapshot()?.commit,
    code: () => sync.status().candidate?.code,
    logged: () => logged,
  };
}
