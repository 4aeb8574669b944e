import type { EquippedRules } from "#authz/check/contract";
import type { Engine } from "#authz/engine/contract";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { BuildFault, BuildResult, RuleSource } from "./build.ts";
import { buildFault } from "./build-fault.ts";
import type { Holder } from "./holder.ts";
import { createLoadLog, isSameFault } from "./load-log.ts";
import { type StalenessSettings, watchStaleness } from "./staleness.ts";
import {
  type ActiveRuleSet,
  agedText,
  countRuleSet,
  countTests,
  describeStatus,
  expiredText,
  type RefusedCandidate,
  type RuleSetStatus,
  reactionTexts,
} from "./status.ts";
import { createTurns } from "./turns.ts";

/** `activated`: other rules came into force, or another commit, whose rules may be the same. */
export type LoadResult = "activated" | "unchanged" | "refused";

export interface SyncOptions {
  readonly source: RuleSource;
  readonly holder: Holder;
  /** Bytes of a rule set to an engine, without holding the event loop for long. */
  readonly prepare: (bytes: Uint8Array, digest: string) => Promise<Engine> | Engine;
  /** Rules with what they need from outside: the keys of their issuers, their providers. Fails only if the service ends. */
  readonly equip: (engine: Engine) => Promise<EquippedRules> | EquippedRules;
  readonly nowMillis: () => number;
  readonly log: Log;
  /** Undefined: rules get too old by their own expiry alone, and nothing follows. */
  readonly staleness?: StalenessSettings | undefined;
  readonly timers: Timers;
  /** Hears of every attempt, but for one that is refused for the same fault as the one before. */
  readonly onLoad?: (result: LoadResult, durationMillis: number) => void;
}

/** What an operator wants to be in force, and for how long. */
export interface PinWanted {
  /** Its name, or its first seven digits or more. */
  readonly commit: string;
  readonly durationMillis: number;
}

export interface Sync {
  /** Reads the source now and puts what it holds in force, if it is valid. One at a time: calls during a load share the next one. */
  load(): Promise<LoadResult>;
  /**
   * Puts a commit of the source's history in force, and keeps it there until the time is over, also over a restart. A commit that cannot be read, verified or compiled
   * changes nothing: the fault says why.
   */
  pin(wanted: PinWanted): Promise<BuildFault | undefined>;
  /** Ends a pin, and reads the source. Fails with `output/unwritable`, or `git/pin` for a source without commits. */
  unpin(): Promise<LoadResult>;
  /** Follows the source. Resolves when it is watched. */
  follow(): Promise<void>;
  status(): RuleSetStatus;
  /** Hears when readiness may have changed. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

/**
 * Keeps the rule set in force in step with its source. INVARIANT: a source that cannot be read, policies with an error and a rule
 * set that cannot be prepared change nothing but the status: the last good rule set stays in force.
 */
export function createSync(options: SyncOptions): Sync {
  const { source, holder, log } = options;
  const told = createLoadLog(source.name, log);
  const turns = createTurns<LoadResult>();
  const listeners = new Set<() => void>();
  let active: ActiveRuleSet | undefined;
  let candidate: RefusedCandidate | undefined;
  let degradedSinceMillis: number | undefined;
  let lastAttemptMillis: number | undefined;
  let lastSuccessMillis: number | undefined;
  let unwatch: (() => Promise<void>) | undefined;
  let stopped = false;
  /** Of the next attempt: it is not the source alone that wants it. */
  let isAsked = false;

  const staleness = watchStaleness(options.staleness, options.timers, options.nowMillis, () => {
    if (stopped) return;
    tellStale();
    mark();
    for (const listener of listeners) listener();
  });
  const staleReason = (): string | undefined => {
    if (active === undefined || staleness.sinceMillis() === undefined) return undefined;
    const { revision } = active;
    const isExpired = staleness.haveExpired() && revision !== undefined;
    const reason = isExpired ? expiredText(revision) : agedText(lastSuccessMillis ?? 0);
    return `${reason}${reactionTexts[staleness.reaction]}`;
  };
  const tellStale = () => {
    const reason = staleReason();
    if (reason !== undefined) log.error({ source: source.name, reaction: staleness.reaction }, reason);
  };
  /** INVARIANT: a snapshot that may not be decided by says so. */
  const expired = () => staleness.reaction === "deny" && staleness.sinceMillis() !== undefined;
  const mark = () => {
    const inForce = holder.snapshot();
    if (inForce !== undefined && (inForce.expired ?? false) !== expired())
      holder.swap({ ...inForce, expired: expired() });
  };
  const confirm = (atMillis: number) => {
    lastSuccessMillis = atMillis;
    staleness.confirm(atMillis, active?.revision?.expiresMillis);
    mark();
  };

  const refuse = (refused: BuildFault): LoadResult | "refused again" => {
    // An attempt that the end has interrupted says nothing about the source.
    if (stopped) return "unchanged";
    const known = candidate !== undefined && isSameFault(candidate, refused);
    candidate = { ...refused, atMillis: options.nowMillis() };
    degradedSinceMillis ??= candidate.atMillis;
    // One edit leads to several readings; what was told of it need not be told again.
    if (known) return "refused again";
    told.refused(refused);
    return "refused";
  };

  const accept = async (built: BuildResult & { kind: "built" }): Promise<LoadResult> => {
    const { revision, fallback } = built;
    const otherRules = built.digest !== active?.digest;
    const anotherCommit = revision !== undefined && revision.commit !== active?.revision?.commit;
    if (otherRules) {
      const engine = built.engine ?? (await options.prepare(built.bytes, built.digest));
      const equipped = await options.equip(engine);
      if (stopped) return "unchanged";
      staleness.confirm(fallback?.confirmedMillis ?? options.nowMillis(), revision?.expiresMillis);
      holder.swap({ ...equipped, ...(revision && { commit: revision.commit }), expired: expired() });
      active = {
        digest: built.digest,
        revision,
        sinceMillis: options.nowMillis(),
        files: built.files,
        sizeBytes: built.bytes.length,
        counts: countRuleSet(engine.ruleSet),
        diagnostics: built.diagnostics,
        tests: countTests(built.tests),
      };
      const ofLastRun = fallback === undefined ? "" : ", kept of the last run";
      told.inForce({ rules: active.counts.rules }, built, `rule set in force${ofLastRun}`);
    } else if (active !== undefined) {
      const { files, diagnostics, tests } = built;
      active = { ...active, revision, files, diagnostics, tests: countTests(tests) };
      const inForce = holder.snapshot();
      if (anotherCommit && inForce !== undefined) holder.swap({ ...inForce, commit: revision.commit });
      if (anotherCommit) told.inForce({}, built, "another commit is in force, its rules are the same");
      else if (candidate !== undefined)
        told.inForce({}, built, "the source is valid again, the rules in force are unchanged");
      else if (told.hasNewWarnings(built.diagnostics))
        told.inForce({}, built, "the source has new warnings, the rules in force are unchanged");
    }
    await source.accepted?.(built);
    if (fallback === undefined) settle();
    else {
      confirm(fallback.confirmedMillis);
      refuse(fallback);
    }
    tellStale();
    return otherRules || anotherCommit ? "activated" : "unchanged";
  };
  /** What is in force is what should be: the newest, or what is pinned, which does not get stale. */
  const settle = () => {
    candidate = undefined;
    degradedSinceMillis = undefined;
    const seenMillis = lastSuccessMillis;
    confirm(options.nowMillis());
    if (source.pins?.current() !== undefined) lastSuccessMillis = seenMillis;
  };

  const attempt = async (): Promise<LoadResult> => {
    const begun = options.nowMillis();
    lastAttemptMillis = begun;
    let result: LoadResult | "refused again";
    try {
      const byWish = isAsked;
      isAsked = false;
      const built = await source.build(active?.revision, byWish);
      if (built.kind === "built") result = await accept(built);
      else if (built.kind === "unchanged") {
        if (candidate !== undefined)
          log.info({ source: source.name, ...active?.revision }, "the rules that should be in force are again");
        settle();
        result = "unchanged";
      } else result = refuse(buildFault(built));
    } catch (defect) {
      const message = `the rule set cannot be put in force: ${messageOf(defect)}`;
      result = refuse({ code: "ruleset/unusable", message, diagnostics: [] });
    }
    // The timers of a machine that slept are late.
    mark();
    if (result !== "refused again") options.onLoad?.(result, options.nowMillis() - begun);
    for (const listener of listeners) listener();
    return result === "refused again" ? "refused" : result;
  };

  const putPinned = async ({ commit, durationMillis }: PinWanted): Promise<BuildFault | undefined> => {
    const { pins } = source;
    if (pins === undefined) return noCommits;
    const before = active?.revision;
    const built = await pins.build(commit, before);
    if (built.kind === "unchanged") throw new Error("a commit was asked for by its name");
    if (built.kind !== "built") return buildFault(built);
    const sinceMillis = options.nowMillis();
    const pinned = built.revision?.commit ?? commit;
    try {
      // ORDER: a pin that cannot be kept would be gone after a restart, so that nothing is changed for it.
      await pins.keep({ commit: pinned, sinceMillis, untilMillis: sinceMillis + durationMillis }, before);
      await accept(built);
      return undefined;
    } catch (fault) {
      await pins.end().catch(() => undefined);
      const code = fault instanceof CodedError ? fault.code : "ruleset/unusable";
      return { code, message: messageOf(fault), diagnostics: [] };
    }
  };

  const load = () => {
    isAsked = true;
    return turns.share(attempt);
  };

  return {
    load,
    async pin(wanted) {
      const fault = await turns.take(() => putPinned(wanted));
      for (const listener of listeners) listener();
      return fault;
    },
    async unpin() {
      if (source.pins === undefined) throw new CodedError(noCommits.code, noCommits.message);
      await source.pins.end();
      return load();
    },
    async follow() {
      unwatch = await source.watch(() => {
        if (!stopped) void turns.share(attempt);
      });
      if (stopped) await unwatch();
    },
    status: () =>
      describeStatus({
        source,
        active,
        candidate,
        degradedSinceMillis,
        lastAttemptMillis,
        lastSuccessMillis,
        staleSinceMillis: staleness.sinceMillis(),
        staleReason: staleReason(),
        reaction: staleness.reaction,
      }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      stopped = true;
      staleness.stop();
      await unwatch?.();
      await source.close();
    },
  };
}

const noCommits = {
  code: "git/pin",
  message: "the policies do not live in Git: there is no commit to pin",
  diagnostics: [],
} as const;
