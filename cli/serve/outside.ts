import type { EquippedRules, Snapshot, TokenVerification } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import { keySourcesOf } from "#authz/check/tokens/key-sources-of";
import { noVerification } from "#authz/check/tokens/no-verification";
import type { ProviderConnections, ProviderStatus } from "#authz/custom/contract";
import type { Engine } from "#authz/engine/contract";
import type { KeySetStore, KeySourceStatus } from "#identity/key-sources/contract";
import type { JwtConfig } from "../config/model.ts";
import type { Issuers, IssuersParts } from "./issuers.ts";
import { type PreparedJwt, prepareJwt } from "./prepare-jwt.ts";
import { createProviderReports } from "./provider-reports.ts";

export interface OutsideParts extends IssuersParts {
  /** The keys of an issuer have changed. */
  readonly onKeys: (keySets: Snapshot["keySets"]) => void;
}

/** What checks need of the world outside: issuers of tokens, and the extension providers that CUSTOM rules ask. */
export interface Outside {
  readonly tokens: TokenVerification;
  /**
   * Rules with their issuers' keys and their providers. Waits a little for keys that were not fetched before; what does not come
   * by then is fetched on, and its tokens are refused meanwhile.
   */
  equip(engine: Engine): Promise<EquippedRules>;
  /**
   * Rules that are in force, with what is known now: until others come into force, their issuers and providers are the ones that count, and whatever
   * was equipped beside them no longer does.
   */
  settle(inForce: EquippedRules): EquippedRules;
  /** Reads what a configuration needs. Fails with the coded error of a file that cannot be used. */
  prepare(jwt: JwtConfig): Promise<PreparedJwt>;
  /** From now on this configuration; before the first nothing can be equipped. */
  use(jwt: PreparedJwt): void;
  issuers(): readonly KeySourceStatus[];
  providers(): readonly ProviderStatus[];
  /** Fetches the keys of every issuer now. Resolves when all were attempted. */
  refreshKeys(): Promise<void>;
  stop(): Promise<void>;
}

/** For so long new rules wait for keys that nobody has fetched yet. */
const patienceMillis = 3_000;

/**
 * PERF: libraries for tokens and for calling providers are loaded when the first rules need them: most services start without
 * (`bench/start.ts`).
 */
export function createOutside(parts: OutsideParts): Outside {
  let jwt: PreparedJwt | undefined;
  let issuers: Issuers | undefined;
  let loading: Promise<Issuers> | undefined;
  let connections: ProviderConnections | undefined;
  let reports: ReturnType<typeof createProviderReports> | undefined;
  let inForce: Engine | undefined;
  const verification = (): TokenVerification => issuers?.verification() ?? noVerification;

  const loadIssuers = async (): Promise<Issuers> => {
    if (jwt === undefined) throw new Error("no configuration is in use yet");
    const { createIssuers } = await import("./issuers.ts");
    const used = jwt;
    const made = await createIssuers(parts, used);
    // Another configuration may have come meanwhile.
    if (jwt !== used) made.use(jwt);
    made.keys.onChange(() => parts.onKeys(made.keys.current()));
    issuers = made;
    return made;
  };
  const followKeys = async (engine: Engine): Promise<KeySetStore | undefined> => {
    const sources = keySourcesOf(engine.ruleSet);
    if (sources.length === 0 && loading === undefined) return undefined;
    // Once, although several rule sets may be on their way.
    loading ??= loadIssuers();
    const { keys } = await loading;
    // Rules that are only on their way, and may never arrive, take nothing from those in force.
    await keys.follow([...sources, ...(inForce === undefined ? [] : keySourcesOf(inForce.ruleSet))], patienceMillis);
    return keys;
  };
  const loadConnections = async (): Promise<ProviderConnections> => {
    const { createProviderConnections } = await import("#authz/custom/connections");
    reports ??= createProviderReports(parts.metrics, parts.log);
    const made = connections ?? createProviderConnections({ clock: parts.clock, ...reports });
    connections = made;
    return made;
  };

  return {
    tokens: {
      get maxTokenBytes() {
        return verification().maxTokenBytes;
      },
      known: (text, provider, keySets) => verification().known(text, provider, keySets),
      verify: (unverified, keySets) => verification().verify(unverified, keySets),
    },
    async equip(engine) {
      const bare = snapshotOfRules(engine);
      const keys = await followKeys(engine);
      const wanted = connections !== undefined || engine.ruleSet.providers.length > 0;
      const providers = wanted ? (await loadConnections()).providersOf(engine.ruleSet) : bare.providers;
      return { engine, keySets: keys?.current() ?? bare.keySets, providers };
    },
    settle(snapshot) {
      const { engine, keySets, providers } = snapshot;
      inForce = engine;
      void issuers?.keys.follow(keySourcesOf(engine.ruleSet), 0);
      return {
        ...snapshot,
        keySets: issuers?.keys.current() ?? keySets,
        providers: connections?.providersOf(engine.ruleSet) ?? providers,
      };
    },
    prepare: (config) => prepareJwt(config, parts.environment, issuers !== undefined),
    use(next) {
      jwt = next;
      issuers?.use(next);
    },
    issuers: () => issuers?.keys.status() ?? [],
    providers: () => connections?.status() ?? [],
    async refreshKeys() {
      await issuers?.keys.refresh();
    },
    async stop() {
      await Promise.all([issuers?.keys.stop(), connections?.stop()]);
    },
  };
}
