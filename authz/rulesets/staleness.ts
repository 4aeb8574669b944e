import type { Timers } from "#platform/timers";

/** How old the word may be that the rules in force are the newest, and what follows when it is older. */
export interface StalenessSettings {
  readonly maxStaleMillis: number;
  /** Nothing but the status; no longer ready; nothing is decided, every request is denied. */
  readonly reaction: "nothing" | "not-ready" | "deny";
}

export interface Staleness {
  readonly reaction: StalenessSettings["reaction"];
  /** The rules in force were the newest at this moment. */
  confirm(atMillis: number): void;
  /** Since when they are stale; undefined: they are not, or there are none. */
  sinceMillis(): number | undefined;
  stop(): void;
}

/** A timer takes no longer delay. */
const longestTimerMillis = 24 * 24 * 3600 * 1000;

/** Word of a later moment than this from now is of a clock that was wrong: it says nothing. */
const clockToleranceMillis = 300_000;

/**
 * Watches the age of the rules in force; `onStale` is called when they become stale. Without settings they never do. A clock that is put back makes them no
 * younger.
 */
export function watchStaleness(
  settings: StalenessSettings | undefined,
  timers: Timers,
  nowMillis: () => number,
  onStale: () => void,
): Staleness {
  let endsMillis: number | undefined;
  let cancel: (() => void) | undefined;
  const sinceMillis = () => (endsMillis !== undefined && nowMillis() >= endsMillis ? endsMillis : undefined);
  const wait = (leftMillis: number) => {
    const delayMillis = Math.min(leftMillis, longestTimerMillis);
    cancel = timers.after(delayMillis, () => {
      if (sinceMillis() === undefined && leftMillis > delayMillis) return wait(leftMillis - delayMillis);
      endsMillis = Math.min(endsMillis!, nowMillis());
      onStale();
    });
  };
  return {
    reaction: settings?.reaction ?? "nothing",
    confirm(atMillis) {
      if (settings === undefined) return;
      cancel?.();
      const now = nowMillis();
      endsMillis = atMillis > now + clockToleranceMillis ? now : atMillis + settings.maxStaleMillis;
      if (now < endsMillis) wait(Math.min(endsMillis - now, settings.maxStaleMillis));
    },
    sinceMillis,
    stop: () => cancel?.(),
  };
}
