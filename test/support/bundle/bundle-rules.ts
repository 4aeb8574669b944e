import type { TestContext } from "node:test";
import { bundleSource } from "#authz/rulesets/bundle/bundle-source";
import type { BundleSettings } from "#authz/rulesets/bundle/settings";
import { type RulesInForceOptions, rulesInForce } from "#test/support/rulesets/rules-in-force";

export interface BundleRulesOptions extends RulesInForceOptions {
  /** Those that have no default here: where to ask, whom to believe, where to keep. */
  readonly settings: Pick<BundleSettings, "url" | "publicKeyFile" | "folder" | "caFile"> & Partial<BundleSettings>;
}

/** Rules out of a server of bundles, as a service has them, without its doors. Ends with the test. */
export function bundleRules(t: TestContext, options: BundleRulesOptions) {
  const rules = rulesInForce(t, options, (parts) =>
    bundleSource({
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
      ...parts,
    }),
  );
  return { ...rules, revision: rules.commit };
}
