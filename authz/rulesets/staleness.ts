import type { Timers } from "#platform/timers";

/** How old the word may be that the rules in force are the newest, and what follows when it is older. */
export interface StalenessSettings {
  /** Undefined: that word does not get too old. */
  readonly maxStaleMillis: number | undefined;
  /** Nothing but the status; no longer ready; nothing is decided, every request is denied. */
  readonly reaction: "nothing" | "not-ready" | "deny";
}

export interface Staleness {
  readonly reaction: StalenessSettings["reaction"];
  /** The rules in force were the newest at this moment. `expiresMillis`: from then on they are too old, however often that is found again. */
  confirm(atMillis: number, expiresMillis?: number): void;
  /** Since when they are stale; undefined: they are not, or there are none. */
  sinceMillis(): number | undefined;
  /** They are stale because they have expired, and not because the word is too old that they are the newest. */
  haveExpired(): boolean;
  stop(): void;
}

/** A timer takes no longer delay. */
const longestTimerMillis = 24 * 24 * 3600 * 1000;

/** Word of a later moment than this from now is of a clock that was wrong: it says nothing. */
const clockToleranceMillis = 300_000;

/**
 * Watches the age of the rules in force; `onStale` is called when they become stale by time alone. Without settings they do when they
 * expire, and nothing follows. A clock that is put back makes them no younger.
 */
export function watchStaleness(
  settings: StalenessSettings | undefined,
  timers: Timers,
  nowMillis: () => number,
  onStale: () => void,
): Staleness {
  const maxStaleMillis = settings?.maxStaleMillis ?? Number.POSITIVE_INFINITY;
  let endsMillis = Number.POSITIVE_INFINITY;
  let expires = false;
  let cancel: (() => void) | undefined;
  const sinceMillis = () => (nowMillis() >= endsMillis ? endsMillis : undefined);
  const wait = (leftMillis: number) => {
    const delayMillis = Math.min(leftMillis, longestTimerMillis);
    cancel = timers.after(delayMillis, () => {
      if (sinceMillis() === undefined && leftMillis > delayMillis) return wait(leftMillis - delayMillis);
      endsMillis = Math.min(endsMillis, nowMillis());
      onStale();
    });
  };
  return {
    reaction: settings?.reaction ?? "nothing",
    confirm(atMillis, expiresMillis = Number.POSITIVE_INFINITY) {
      cancel?.();
      const now = nowMillis();
      const agedMillis =
        settings?.maxStaleMillis !== undefined && atMillis > now + clockToleranceMillis
          ? now
          : atMillis + maxStaleMillis;
      endsMillis = Math.min(agedMillis, expiresMillis);
      expires = expiresMillis <= agedMillis;
      if (now < endsMillis && endsMillis < Number.POSITIVE_INFINITY) wait(Math.min(endsMillis - now, maxStaleMillis));
    },
    sinceMillis,
    haveExpired: () => expires && sinceMillis() !== undefined,
    stop: () => cancel?.(),
  };
}
