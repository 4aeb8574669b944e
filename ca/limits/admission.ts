import type { RefusalCode } from "#ca/refusals";
import { Queue } from "#platform/queue";

/** How much is worked on, and how much may wait for it. */
export interface AdmissionSettings {
  /** At least 1. */
  readonly inFlight: number;
  /** 0 or more. */
  readonly waiting: number;
  /** Of what waits, as told by whoever brings it: memory that strangers fill. */
  readonly waitingBytes: number;
}

export interface AdmissionParts {
  /** Asked each time: a change counts from the next request on. */
  readonly settings: () => AdmissionSettings;
  readonly monotonicMillis: () => number;
  /** Calls back once the event loop has looked at everything else: `setImmediate`. */
  readonly nextTurn: (run: () => void) => void;
  /** No turn of the loop is kept for longer, but for the piece of work that is under way then. Undefined: 8. */
  readonly sliceMillis?: number;
}

export type Admitted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Extract<RefusalCode, "rate/overload">; readonly retryAfterMillis: number };

/** Takes work in, as much as there is room for, and lets the event loop turn in between. */
export interface Admission {
  /**
   * Does the work when its turn comes; at once refused with `rate/overload` where too much waits already. Rejects where the work does. Work is begun in the order in
   * which it came.
   */
  admit<T>(work: () => Promise<T>, sizeBytes: number): Promise<Admitted<T>>;
  /**
   * For work under way, before each piece of it that keeps the processor busy: resolves when there is time for it in this turn of the loop, or in one of the next.
   * Without it a hundred works that wait for the same write to the disk would all go on in one turn.
   */
  turn(): Promise<void>;
  /** For metrics. */
  load(): { readonly inFlight: number; readonly waiting: number };
}

const defaultSliceMillis = 8;
/** What is waiting now is begun within a few seconds. */
const retryAfterMillis = 1_000;

/**
 * An admission without any work. ORDER: work under way goes on before other work is begun, so that what was begun gets ready, and what is not takes the least memory.
 */
export function createAdmission(parts: AdmissionParts): Admission {
  const { settings, monotonicMillis, nextTurn, sliceMillis = defaultSliceMillis } = parts;
  const goingOn = new Queue<() => void>();
  const waiting = new Queue<{ readonly begin: () => void; readonly sizeBytes: number }>();
  let waitingBytes = 0;
  let inFlight = 0;
  let scheduled = false;

  const takeNext = (): (() => void) | undefined => {
    const next = goingOn.shift();
    if (next !== undefined || inFlight >= settings().inFlight) return next;
    const first = waiting.shift();
    if (first === undefined) return undefined;
    waitingBytes -= first.sizeBytes;
    inFlight++;
    return first.begin;
  };

  const runSlice = async (): Promise<void> => {
    const beganMillis = monotonicMillis();
    do {
      const next = takeNext();
      if (next === undefined) break;
      next();
      // What was set going runs up to its next wait before the clock is looked at.
      await undefined;
    } while (monotonicMillis() - beganMillis < sliceMillis);
    scheduled = false;
    if (goingOn.size > 0 || (waiting.size > 0 && inFlight < settings().inFlight)) schedule();
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    nextTurn(() => void runSlice());
  };

  const finish = (): void => {
    inFlight--;
    if (waiting.size > 0) schedule();
  };

  return {
    async admit(work, sizeBytes) {
      const { inFlight: mostInFlight, waiting: mostWaiting, waitingBytes: mostBytes } = settings();
      const isFull = inFlight + waiting.size >= mostInFlight + mostWaiting || waitingBytes + sizeBytes > mostBytes;
      if (isFull) return { ok: false, code: "rate/overload", retryAfterMillis };
      const begun = Promise.withResolvers<void>();
      waiting.push({ begin: begun.resolve, sizeBytes });
      waitingBytes += sizeBytes;
      schedule();
      await begun.promise;
      try {
        return { ok: true, value: await work() };
      } finally {
        finish();
      }
    },
    turn() {
      const { promise, resolve } = Promise.withResolvers<void>();
      goingOn.push(resolve);
      schedule();
      return promise;
    },
    load: () => ({ inFlight, waiting: waiting.size }),
  };
}
