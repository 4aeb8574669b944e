import type { Clock } from "#platform/clock";
import type { Timers } from "#platform/timers";

/** Failures are not asked about more often than polls, and no more seldom than this, where polls are not more seldom themselves. */
const longestMillis = 10 * 60 * 1000;
const jitter = 0.1;

/**
 * How long to wait before a source is asked again: `pollMillis`, twice as long after each failure in a row up to ten minutes, and up to a tenth more or less, so
 * that services do not ask at once. `random`: from 0 to 1.
 */
export function nextPollMillis(pollMillis: number, failures: number, random: () => number): number {
  const backedOff = Math.min(pollMillis * 2 ** Math.min(failures, 20), Math.max(pollMillis, longestMillis));
  return Math.round(backedOff * (1 + jitter * (2 * random() - 1)));
}

/** When a source is asked again. */
export interface Poll {
  /** What came of the last time that it was asked: failures in a row make the waits longer. */
  note(reached: boolean): void;
  /** Waits anew, from now on. Nothing is waited for while nobody watches. */
  plan(): void;
  /** When it is asked next, as far as it is planned. */
  nextMillis(): number | undefined;
  /** As `RuleSource.watch`. */
  watch(onDue: () => void): Promise<() => Promise<void>>;
  close(): void;
}

export interface PollParts {
  readonly pollMillis: number;
  readonly clock: Pick<Clock, "nowMillis">;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Asked for each wait: no longer than this, in milliseconds. Not there: as long as `nextPollMillis` says. */
  readonly mostMillis?: () => number;
}

/** The polls of a source that is asked by time. */
export function createPoll({ pollMillis, clock, timers, random, mostMillis }: PollParts): Poll {
  let onDue: (() => void) | undefined;
  let cancel: (() => void) | undefined;
  let nextMillis: number | undefined;
  let failures = 0;
  let closed = false;
  const plan = () => {
    cancel?.();
    if (onDue === undefined || closed) return;
    const delay = Math.min(nextPollMillis(pollMillis, failures, random), mostMillis?.() ?? Number.POSITIVE_INFINITY);
    nextMillis = clock.nowMillis() + delay;
    cancel = timers.after(delay, () => onDue?.());
  };
  return {
    note(reached) {
      failures = reached ? 0 : failures + 1;
    },
    plan,
    nextMillis: () => nextMillis,
    async watch(listener) {
      onDue = listener;
      plan();
      return async () => {
        onDue = undefined;
        cancel?.();
      };
    },
    close() {
      closed = true;
      cancel?.();
    },
  };
}
