import type { TestContext } from "node:test";
import { gitSource } from "#authz/rulesets/git/git-source";
import type { GitSettings } from "#authz/rulesets/git/settings";
import { type RulesInForceOptions, rulesInForce } from "#test/support/rulesets/rules-in-force";
import { tempFolder } from "#test/support/service/temp-folder";

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

export interface GitRulesOptions extends RulesInForceOptions {
  /** Where the mirror is; unset: a folder of its own. */
  readonly folder?: string;
  readonly settings?: Partial<GitSettings>;
  /** URL of what runs policy tests; unset: the real one. */
  readonly testModule?: string;
  readonly outside?: Readonly<Record<string, string | undefined>>;
}

/** Rules out of a repository, as a service has them, without its doors; `poll` steps to the next poll, and resolves after it. Ends with the test. */
export async function gitRules(t: TestContext, url: string, options: GitRulesOptions = {}) {
  const folder = options.folder ?? (await tempFolder(t));
  const rules = rulesInForce(t, options, ({ prepare: _, ...parts }) =>
    gitSource({
      settings: gitSettings(url, folder, options.settings),
      outside: options.outside ?? { PATH: process.env["PATH"] },
      testModule: options.testModule ?? testModule,
      ...parts,
    }),
  );
  return {
    folder,
    ...rules,
    async poll() {
      const { promise: attempted, resolve } = Promise.withResolvers<void>();
      const end = rules.sync.onChange(resolve);
      rules.time.step((rules.status().nextAttemptMillis ?? Number.NaN) - rules.time.clock.nowMillis());
      await attempted;
      end();
    },
  };
}
