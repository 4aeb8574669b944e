import type { KeySet } from "#identity/key-set/key-set";
import type { KeySource } from "#identity/key-set/key-source";
import type { KeySourceStatus, KeyState } from "./contract.ts";
import { type KeySourceFault, keySourceFault } from "./faults.ts";
import { type KeysLoaded, loadKeys } from "./load-keys.ts";
import type { SharedFetch } from "./shared-fetch.ts";
import { nameOfSource, shownKey } from "./shown.ts";
import { type RefreshSettings, refreshDelayMillis, retryDelayMillis } from "./timing.ts";
import { createUnknownKids } from "./unknown-kids.ts";
import { renewedKeySet } from "./versions.ts";

/** Time as the store sees it: `nowMillis` (Unix, may jump) is for people, `monotonicMillis` for durations. */
export interface StoreClock {
  nowMillis(): number;
  monotonicMillis(): number;
}

/** Calls back once, after a delay. The result takes it back. */
export interface Timers {
  after(delayMillis: number, run: () => void): () => void;
}

/** One attempt to refresh the keys of a source, for those who count. */
export interface Attempt {
  readonly source: KeySource;
  /** `renewed`: with other keys than before. `unusable`, `failed`: what was there before stays. */
  readonly outcome: "renewed" | "unchanged" | "unusable" | "failed";
  readonly durationMillis: number;
  readonly fault: KeySourceFault | undefined;
}

export interface RemoteParts {
  readonly fetcher: SharedFetch;
  readonly clock: StoreClock;
  readonly timers: Timers;
  /** 0 to 1, without 1. */
  readonly random: () => number;
  readonly settings: () => RefreshSettings;
  /** The state of a source has changed. */
  readonly onChange: () => void;
  readonly onAttempt: (attempt: Attempt) => void;
}

/** A source on the network, from its first document on. */
export interface RemoteSource {
  state(): KeyState;
  status(): KeySourceStatus;
  /** Attempts to refresh now, or joins the attempt that is under way, and goes on by itself from then on. */
  refresh(): Promise<void>;
  /** Resolves when the first attempt is over. */
  readonly attempted: Promise<void>;
  missed(kid: string): void;
  /** No attempts until `resume`; keys stay for as long as they may. */
  pause(): void;
  /** Goes on: at once, if a refresh is overdue. */
  resume(): void;
  /** Forgets everything. Resolves when nothing is under way. */
  end(): Promise<void>;
}

/** Between two attempts because of unknown keys, whatever tokens say. */
const missedIntervalMillis = 10_000;

/** Keeps the keys of one source fresh. Nothing is fetched before the first `refresh`. */
export function createRemoteSource(
  source: Exclude<KeySource, { readonly kind: "inline" }>,
  parts: RemoteParts,
): RemoteSource {
  const { clock, timers, random, settings } = parts;
  const first = Promise.withResolvers<void>();
  const kids = createUnknownKids();
  let state: KeyState = { kind: "unfetched" };
  let mode: "running" | "paused" | "ended" = "running";
  let flight: Promise<void> | undefined;
  let failures = 0;
  let fault: KeySourceStatus["fault"];
  /** The keys in use: when their document came, by both clocks. */
  let good: { readonly keys: KeySet; readonly atMillis: number; readonly atMonotonic: number } | undefined;
  /** The newest document had no key that can be used. */
  let unusable = false;
  let startedMonotonic = Number.NEGATIVE_INFINITY;
  let attemptedMillis: number | undefined;
  let next: { readonly atMonotonic: number; readonly cancel: () => void } | undefined;
  let cancelExpiry: (() => void) | undefined;

  const become = (wanted: KeyState): void => {
    const same =
      wanted.kind === "keys" ? state.kind === "keys" && wanted.keys === state.keys : wanted.kind === state.kind;
    if (same) return;
    state = wanted;
    parts.onChange();
  };

  const schedule = (delayMillis: number): void => {
    next?.cancel();
    next = undefined;
    if (mode !== "running") return;
    const atMonotonic = clock.monotonicMillis() + delayMillis;
    next = { atMonotonic, cancel: timers.after(delayMillis, () => void refresh()) };
  };

  /** Drops keys that are too old, now or when they will be. */
  const watchAge = (): void => {
    cancelExpiry?.();
    cancelExpiry = undefined;
    if (good === undefined) return;
    const leftMillis = good.atMonotonic + settings().maxStaleMillis - clock.monotonicMillis();
    if (leftMillis > 0) cancelExpiry = timers.after(leftMillis, watchAge);
    else {
      good = undefined;
      become(unusable ? { kind: "unusable" } : { kind: "unfetched" });
    }
  };

  const accept = (loaded: KeysLoaded): Attempt["outcome"] => {
    const nowMillis = clock.nowMillis();
    attemptedMillis = nowMillis;
    if (loaded.kind === "keys") {
      const keys = renewedKeySet(good?.keys, loaded.keys);
      const outcome = keys === good?.keys ? "unchanged" : "renewed";
      good = { keys, atMillis: nowMillis, atMonotonic: clock.monotonicMillis() };
      unusable = false;
      failures = 0;
      fault = undefined;
      become({ kind: "keys", keys });
      return outcome;
    }
    failures++;
    fault = { ...loaded.fault, atMillis: nowMillis };
    if (loaded.kind === "unusable") {
      unusable = true;
      if (good === undefined) become({ kind: "unusable" });
    }
    return loaded.kind;
  };

  const attempt = async (): Promise<void> => {
    startedMonotonic = clock.monotonicMillis();
    let loaded: KeysLoaded;
    try {
      loaded = await loadKeys(source, parts.fetcher);
    } catch (defect) {
      // Nobody waits for this attempt: a defect must not end all the later ones.
      const name = defect instanceof Error ? defect.name : "a thrown value";
      loaded = { kind: "failed", fault: keySourceFault("keys/failed", `defect: ${name}`) };
    }
    flight = undefined;
    if (mode === "ended") return;
    const outcome = accept(loaded);
    watchAge();
    const now = clock.monotonicMillis();
    if (loaded.kind === "keys") {
      schedule(refreshDelayMillis(settings(), loaded.maxAgeSeconds, random));
      const wantedSince = kids.settle(startedMonotonic, now, (kid) => loaded.keys.some((key) => key.kid === kid));
      if (wantedSince) hasten();
    } else schedule(retryDelayMillis(settings(), failures, random));
    const durationMillis = now - startedMonotonic;
    parts.onAttempt({ source, outcome, durationMillis, fault: loaded.kind === "keys" ? undefined : loaded.fault });
    first.resolve();
  };

  const refresh = (): Promise<void> => {
    if (mode === "ended") return Promise.resolve();
    if (flight !== undefined) return flight;
    next?.cancel();
    next = undefined;
    flight = attempt();
    return flight;
  };

  /** A refresh as soon as the issuer may be asked again. An issuer that fails is asked when its time has come. */
  const hasten = (): void => {
    if (failures > 0 || mode !== "running") return;
    const now = clock.monotonicMillis();
    const due = startedMonotonic + missedIntervalMillis;
    if (due <= now) void refresh();
    else if (next === undefined || next.atMonotonic > due) schedule(due - now);
  };

  return {
    state: () => state,
    status: () => ({
      name: nameOfSource(source),
      kind: source.kind,
      state: state.kind,
      keys: state.kind === "keys" ? state.keys.keys.map(shownKey) : [],
      fetchedMillis: good?.atMillis,
      attemptedMillis,
      nextMillis:
        next === undefined ? undefined : Math.round(clock.nowMillis() + next.atMonotonic - clock.monotonicMillis()),
      fault,
    }),
    refresh,
    attempted: first.promise,
    missed(kid) {
      const now = clock.monotonicMillis();
      if (mode !== "running" || kids.provedUnknown(kid, now)) return;
      kids.ask(kid, now);
      if (flight === undefined) hasten();
    },
    pause() {
      mode = "paused";
      next?.cancel();
      next = undefined;
    },
    resume() {
      mode = "running";
      if (flight !== undefined) return;
      const overdue = startedMonotonic + settings().refreshMillis - clock.monotonicMillis();
      if (overdue <= 0 || failures > 0) void refresh();
      else schedule(overdue);
    },
    async end() {
      mode = "ended";
      next?.cancel();
      cancelExpiry?.();
      first.resolve();
      await flight;
    },
  };
}
