import { isDeepStrictEqual } from "node:util";
import type { Snapshot } from "#authz/check/contract";
import type { RuleSource } from "#authz/rulesets/build";
import { createHolder, type Holder } from "#authz/rulesets/holder";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync, type Sync, type SyncOptions } from "#authz/rulesets/sync";
import type { ServiceConfig } from "../config/model.ts";
import type { ServiceParts } from "./contract.ts";
import type { Outside } from "./outside.ts";

type Policies = ServiceConfig["policies"];

/** A source and what it has put in force go together, so that a changed source comes into force by one assignment too. */
export interface SourcedRules {
  readonly policies: Policies;
  readonly sync: Sync;
  readonly holder: Holder;
}

/** The rules in force, and how they come to be those of another source. */
export interface RulesSwitch {
  /** Of the source in force. */
  sync(): Sync;
  snapshot(): Snapshot | undefined;
  renewKeys(keySets: Snapshot["keySets"]): void;
  renewDenyList(): void;
  /** Rules of a configuration, beside those in force; undefined: their source is the one in force. Nothing is loaded yet. */
  prepare(policies: Policies): Promise<SourcedRules | undefined>;
  /** From now on these. The source before is stopped. */
  become(next: SourcedRules): Promise<void>;
  /** INVARIANT: whatever was on its way, and came into force or not: the rules in force have their issuers followed, and the newest keys. */
  settle(): void;
  /** Ends them, and those that are on their way. */
  stop(): Promise<void>;
}

export interface RulesSwitchParts
  extends Pick<
    ServiceParts,
    "clock" | "timers" | "log" | "prepare" | "createSource" | "createGitSource" | "createBundleSource"
  > {
  readonly outside: Pick<Outside, "equip" | "settle">;
  readonly denyList: () => Snapshot["denyList"];
  readonly onLoad: NonNullable<SyncOptions["onLoad"]>;
  /** Readiness may have changed. */
  readonly onChange: () => void;
}

/** Rules of these policies, that are still to be loaded. Fails like the creation of their source. */
export async function createRulesSwitch(policies: Policies, parts: RulesSwitchParts): Promise<RulesSwitch> {
  const { outside, clock, log } = parts;
  const create = async (wanted: Policies): Promise<SourcedRules> => {
    const holder = createHolder(parts.denyList);
    const sync = createSync({
      source: await createSource(wanted, parts),
      holder,
      prepare: parts.prepare,
      equip: outside.equip,
      nowMillis: clock.nowMillis,
      timers: parts.timers,
      staleness: stalenessOf(wanted),
      log: log.log,
      onLoad: parts.onLoad,
    });
    sync.onChange(() => {
      settle();
      parts.onChange();
    });
    return { policies: wanted, sync, holder };
  };
  const settle = () => {
    const inForce = rules.holder.snapshot();
    if (inForce !== undefined) rules.holder.swap(outside.settle(inForce));
  };
  let rules = await create(policies);
  let coming: SourcedRules | undefined;
  return {
    sync: () => rules.sync,
    snapshot: () => rules.holder.snapshot(),
    renewKeys: (keySets) => rules.holder.renewKeys(keySets),
    renewDenyList: () => rules.holder.renewDenyList(),
    async prepare(wanted) {
      coming = isDeepStrictEqual(sourceOf(wanted), sourceOf(rules.policies)) ? undefined : await create(wanted);
      return coming;
    },
    async become(next) {
      const old = rules;
      rules = next;
      coming = undefined;
      settle();
      parts.onChange();
      await old.sync.stop();
      await rules.sync.follow();
    },
    settle,
    async stop() {
      await Promise.all([rules.sync.stop(), coming?.sync.stop()]);
    },
  };
}

async function createSource(policies: Policies, parts: RulesSwitchParts): Promise<RuleSource> {
  if ("git" in policies) return parts.createGitSource(policies.git.settings, parts.log.log);
  if ("bundle" in policies) return parts.createBundleSource(policies.bundle.settings, parts.log.log);
  return parts.createSource(policies);
}

/** What rules depend on. */
function sourceOf(policies: Policies): object {
  return "git" in policies ? { ...policies.git, webhook: undefined } : policies;
}

/** A folder is watched: its rules are never too old. */
function stalenessOf(policies: Policies): StalenessSettings | undefined {
  if ("git" in policies) return policies.git.staleness;
  return "bundle" in policies ? policies.bundle.staleness : undefined;
}
