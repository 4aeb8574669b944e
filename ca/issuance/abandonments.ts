import type { CaStore } from "#ca/store/contract";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";

/** Issuances that came to nothing while the store could not say so. */
export interface Abandonments {
  /**
   * Nothing is handed out for this serial, and its intent may be on record: it is written off when the store takes records again. Not waited for. Of very many some are left to the next start, which
   * writes off what is open.
   */
  add(serialHex: string, reason: string): void;
  /** How many wait. */
  readonly waiting: number;
  /** What waits is left to the next start. */
  stop(): void;
}

export interface AbandonmentsParts {
  readonly store: Pick<CaStore, "recordAbandoned" | "fault">;
  readonly nowMillis: () => number;
  readonly timers: Timers;
  readonly log: Log;
}

const retryMillis = 1_000;
const mostWaiting = 1_000;

/** None waits yet. */
export function createAbandonments({ store, nowMillis, timers, log }: AbandonmentsParts): Abandonments {
  const reasons = new Map<string, string>();
  let cancel: (() => void) | undefined;
  let stopped = false;

  const schedule = () => {
    if (stopped || reasons.size === 0) return;
    cancel ??= timers.after(retryMillis, () => {
      void writeOff().finally(() => {
        cancel = undefined;
        schedule();
      });
    });
  };
  const writeOff = async () => {
    for (const [serialHex, reason] of [...reasons]) {
      if (stopped || store.fault() !== undefined) return;
      try {
        await store.recordAbandoned(serialHex, nowMillis(), reason);
        log.warn({ serial: serialHex, reason }, "an issuance is marked as abandoned");
      } catch (fault) {
        // Without an open intent there is nothing to write off: it was never on record, or it is complete.
        const isOver = fault instanceof CodedError && fault.code === "ca-store/no-intent";
        if (!isOver) {
          log.warn({ serial: serialHex, fault: messageOf(fault) }, "an issuance cannot be marked as abandoned yet");
          return;
        }
      }
      reasons.delete(serialHex);
    }
  };

  return {
    add(serialHex, reason) {
      if (reasons.size >= mostWaiting) return;
      reasons.set(serialHex, reason);
      schedule();
    },
    get waiting() {
      return reasons.size;
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
