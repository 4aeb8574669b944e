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

/** Watches the age of the rules in force; `onStale` is called when they become stale. Without settings they never do. */
export function watchStaleness(
  settings: StalenessSettings | undefined,
  timers: Timers,
  nowMillis: () => number,
  onStale: () => void,
): Staleness {
  let endsMillis: number | undefined;
  let cancel: (() => void) | undefined;
  const sinceMillis = () => (endsMillis !== undefined && nowMillis() >= endsMillis ? endsMillis : undefined);
  const wait = () => {
    cancel?.();
    if (endsMillis === undefined || sinceMillis() !== undefined) return;
    cancel = timers.after(Math.min(endsMillis - nowMillis(), longestTimerMillis), () => {
      if (sinceMillis() === undefined) wait();
      else onStale();
    });
  };
  return {
    reaction: settings?.reaction ?? "nothing",
    confirm(atMillis) {
      if (settings === undefined) return;
      endsMillis = atMillis + settings.maxStaleMillis;
      wait();
    },
    sinceMillis,
    stop: () => cancel?.(),
  };
}
