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

/** So often the clock is looked at: it may be put ahead, and timers stand still while a machine sleeps. */
const lookMillis = 60_000;

/** Word of a later moment than this from now is of a clock that was wrong: it says nothing. */
const clockToleranceMillis = 300_000;

/**
 * Watches the age of the rules in force; `onStale` is called when they become stale by time alone. Without settings they do when they
 * expire, and nothing follows. A clock that is put back makes them no younger, and those whose time has passed stay stale.
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
  /** Since when their time has passed, whatever the clock says. */
  let passedMillis: number | undefined;
  let told = false;
  let cancelWait: (() => void) | undefined;
  let cancelLook: (() => void) | undefined;
  const sinceMillis = () => passedMillis ?? (nowMillis() >= endsMillis ? endsMillis : undefined);
  const cancel = () => {
    cancelWait?.();
    cancelLook?.();
  };
  const wait = (leftMillis: number) => {
    const delayMillis = Math.min(leftMillis, longestTimerMillis);
    cancelWait = timers.after(delayMillis, () => {
      if (leftMillis > delayMillis) return wait(leftMillis - delayMillis);
      passedMillis = Math.min(endsMillis, nowMillis());
      tell();
    });
  };
  const look = () => {
    cancelLook = timers.after(lookMillis, () => {
      look();
      tell();
    });
  };
  const tell = () => {
    const known = told;
    told = sinceMillis() !== undefined;
    if (told && !known) onStale();
  };
  return {
    reaction: settings?.reaction ?? "nothing",
    confirm(atMillis, expiresMillis = Number.POSITIVE_INFINITY) {
      cancel();
      passedMillis = undefined;
      told = false;
      const now = nowMillis();
      const agedMillis =
        settings?.maxStaleMillis !== undefined && atMillis > now + clockToleranceMillis
          ? now
          : atMillis + maxStaleMillis;
      endsMillis = Math.min(agedMillis, expiresMillis);
      expires = expiresMillis <= agedMillis;
      if (now >= endsMillis || endsMillis === Number.POSITIVE_INFINITY) return;
      // Time that had passed by then has passed, also where the clock was put back since.
      const leftMillis = Math.min(endsMillis - Math.max(now, atMillis), maxStaleMillis);
      if (leftMillis > 0) {
        wait(leftMillis);
        look();
      } else passedMillis = now;
    },
    sinceMillis,
    haveExpired: () => expires && sinceMillis() !== undefined,
    stop: cancel,
  };
}
