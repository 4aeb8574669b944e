import type { Reply, Request, StartRequest } from "#ca/store/sqlite/messages";
import { receivedFault } from "#ca/store/sqlite/messages";
import type { KnownEntry } from "#ca/store/sqlite/opening";
import type { Call } from "#ca/store/sqlite/operations";
import { type BatchReply, startWorker, unavailable, type WorkerLink } from "#ca/store/sqlite/worker-link";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";

/** Calls that wait beyond so many are refused: `ca-store/busy`. */
const mostWaiting = 20_000;
/** Calls of one transaction: what waits longer than one takes is in the next. */
const mostInBatch = 1_000;
/** A batch that is gathered is sent after so many turns of the event loop, whatever still comes. */
const mostTurns = 3;
/** A thread that died is started again after so long, and twice as long each time that it dies before it has served; at most `longestPauseMillis`. */
const firstPauseMillis = 100;
const longestPauseMillis = 5_000;
/** A disk that took no record is tried again so often, also when nobody asks: those who ask may wait until it is told to be well. */
const probeMillis = 1_000;
/** A disk that has not answered for so long is taken for gone. */
const patienceMillis = 30_000;

/** Calls from everywhere, in their order, to the thread of the database, many at a time. */
export interface Batches {
  /** Resolves with what the call gave when its transaction is on the disk. */
  submit(call: Call): Promise<unknown>;
  /** Goes along with the next batch, or starts one. Never waited for. */
  submitUnheard(call: Call): void;
  backup(file: string): Promise<void>;
  /** Why nothing can be written now. */
  readonly fault: string | undefined;
  /** Is there a thread that takes calls? */
  readonly isUp: boolean;
  /** Transactions so far. */
  readonly transactions: number;
  /** Finishes what waits; afterwards every call is refused. */
  close(): Promise<void>;
}

interface Pending {
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: Error) => void;
}

interface Settled {
  readonly resolve: () => void;
  readonly reject: (fault: Error) => void;
}

const unheard = (): void => {};

export interface BatchesOptions {
  readonly start: () => StartRequest;
  readonly timers: Timers;
  readonly log: Log;
}

/** Starts the thread. Rejects where the database cannot be opened. */
export async function startBatches(
  options: BatchesOptions,
): Promise<{ batches: Batches; abandoned: readonly string[] }> {
  const running = new RunningBatches(options);
  const abandoned = await running.begin();
  return { batches: running, abandoned };
}

class RunningBatches implements Batches {
  readonly #options: BatchesOptions;
  #link: WorkerLink | undefined;
  #waiting: Pending[] = [];
  /** Rejected already where the disk lets us wait too long, and yet in flight. */
  #inFlight: readonly Pending[] | undefined;
  #patience: (() => void) | undefined;
  /** Turns of the loop in which a batch has been gathered; undefined: none is. */
  #turns: number | undefined;
  #isJoined = false;
  #backup: Settled | undefined;
  #closing: (Settled & { readonly promise: Promise<void> }) | undefined;
  #pauseMillis = firstPauseMillis;
  #cancelRestart: (() => void) | undefined;
  /** The last entry that the disk has: a thread that is started again must find it. */
  #last: KnownEntry | undefined;
  #downFault: string | undefined;
  #writeFault: string | undefined;
  #cancelProbe: (() => void) | undefined;
  transactions = 0;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  get fault(): string | undefined {
    return this.#downFault ?? this.#writeFault;
  }

  get isUp(): boolean {
    return this.#downFault === undefined && this.#closing === undefined;
  }

  async begin(): Promise<readonly string[]> {
    const link = await this.#start(false);
    this.#link = link;
    this.#last = link.last;
    return link.abandoned;
  }

  submit(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => this.#add({ call, resolve, reject }));
  }

  submitUnheard(call: Call): void {
    this.#add({ call, resolve: unheard, reject: unheard });
  }

  backup(file: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal);
      if (this.#backup !== undefined) return reject(new CodedError("ca-store/busy", "a backup is being made already"));
      this.#backup = { resolve, reject };
      this.#send({ kind: "backup", file });
    });
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#closing = { promise, resolve, reject };
    this.#cancelRestart?.();
    this.#cancelProbe?.();
    if (this.#link === undefined) resolve();
    else this.#closeWhenIdle();
    return promise;
  }

  get #refusal(): CodedError | undefined {
    if (this.#closing !== undefined) return unavailable("the store is closed");
    return this.#downFault === undefined ? undefined : unavailable(this.#downFault);
  }

  #add(pending: Pending): void {
    const full = this.#waiting.length >= mostWaiting;
    const refusal =
      this.#refusal ?? (full ? new CodedError("ca-store/busy", "too many calls wait for the database") : undefined);
    if (refusal !== undefined) {
      pending.reject(refusal);
      return;
    }
    this.#waiting.push(pending);
    this.#isJoined = true;
    this.#gather();
  }

  /**
   * Gathers a batch as long as each turn of the loop brings more for it, and no longer than `mostTurns`. PERF: a write to a fast disk is over before the loop has done much; without this it
   * would be one for every few calls, and take more of a processor than the calls (`bench/ca.ts`).
   */
  #gather(): void {
    if (this.#inFlight !== undefined || this.#turns !== undefined) return;
    this.#turns = 0;
    setImmediate(() => this.#gatherOn());
  }

  #gatherOn(): void {
    if (this.#isJoined && this.#turns! < mostTurns) {
      this.#turns!++;
      this.#isJoined = false;
      setImmediate(() => this.#gatherOn());
      return;
    }
    this.#turns = undefined;
    this.#flush();
  }

  #flush(): void {
    if (this.#link === undefined || this.#inFlight !== undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting.length <= mostInBatch ? this.#waiting : this.#waiting.slice(0, mostInBatch);
    this.#waiting = batch === this.#waiting ? [] : this.#waiting.slice(mostInBatch);
    this.#inFlight = batch;
    this.#patience = this.#options.timers.after(patienceMillis, () => this.#loseHope());
    try {
      this.#send({ kind: "batch", calls: batch.map(({ call }) => call) });
    } catch (defect) {
      // A value that cannot travel between threads is a defect of a caller's, and nothing has been written.
      this.#inFlight = undefined;
      this.#patience();
      for (const { reject } of batch) reject(new Error(messageOf(defect)));
    }
  }

  #send(request: Request): void {
    this.#link?.hold(true);
    this.#link?.send(request);
  }

  #take(reply: Reply): void {
    if (reply.kind === "batch") this.#settleBatch(reply);
    else if (reply.kind === "backup") {
      const { resolve, reject } = this.#backup!;
      this.#backup = undefined;
      if (reply.fault === undefined) resolve();
      else reject(receivedFault(reply.fault));
    } else if (reply.kind === "closed") {
      this.#link = undefined;
      this.#closing?.resolve();
    }
    if (this.#waiting.length > 0) this.#gather();
    if (this.#closing !== undefined) this.#closeWhenIdle();
    // A closing that was asked for is waited for: the program must not end before it has been told.
    const idle = this.#inFlight === undefined && this.#backup === undefined && this.#closing === undefined;
    if (idle) this.#link?.hold(false);
  }

  #settleBatch({ values, faults, writeFault, wrote, last }: BatchReply): void {
    const batch = this.#inFlight ?? [];
    this.#inFlight = undefined;
    this.#patience?.();
    this.transactions++;
    this.#pauseMillis = firstPauseMillis;
    if (this.#link !== undefined) this.#downFault = undefined;
    if (writeFault !== undefined) this.#noteWriteFault(writeFault.message);
    else if (wrote) this.#endWriteFault();
    this.#last = last;
    const failed = new Set<number>();
    for (const [place, fault] of faults) {
      failed.add(place);
      batch[place]?.reject(receivedFault(fault));
    }
    batch.forEach(({ resolve }, place) => {
      if (!failed.has(place)) resolve(values[place]);
    });
  }

  #noteWriteFault(message: string): void {
    if (this.#writeFault === undefined) {
      this.#options.log.error({ fault: message }, "the store cannot write");
      this.#probeLater();
    }
    this.#writeFault = message;
  }

  #endWriteFault(): void {
    if (this.#writeFault === undefined) return;
    this.#writeFault = undefined;
    this.#cancelProbe?.();
    this.#options.log.info({}, "the store can write again");
  }

  #probeLater(): void {
    if (this.#closing !== undefined) return;
    this.#cancelProbe = this.#options.timers.after(probeMillis, () => {
      this.submitUnheard(["probeWriting", []]);
      this.#probeLater();
    });
  }

  #closeWhenIdle(): void {
    if (this.#inFlight === undefined && this.#waiting.length === 0 && this.#backup === undefined) {
      this.#send({ kind: "close" });
    }
  }

  /** Answers that do not come are worse than none: callers are told, and the thread is waited for all the same. */
  #loseHope(): void {
    this.#down(`the disk has not answered for ${patienceMillis / 1000} s`);
  }

  #down(message: string): void {
    this.#options.log.error({ fault: message }, "the store is unavailable");
    this.#downFault = message;
    const lost = [...(this.#inFlight ?? []), ...this.#waiting];
    this.#waiting = [];
    for (const { reject } of lost) reject(unavailable(message));
  }

  #gone(fault: CodedError): void {
    // It has closed the database, as it was asked to.
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#patience?.();
    this.#down(fault.message);
    this.#inFlight = undefined;
    this.#backup?.reject(fault);
    this.#backup = undefined;
    if (this.#closing !== undefined) this.#closing.resolve();
    else this.#restartLater();
  }

  #restartLater(): void {
    const pauseMillis = this.#pauseMillis;
    this.#pauseMillis = Math.min(2 * pauseMillis, longestPauseMillis);
    this.#cancelRestart = this.#options.timers.after(pauseMillis, () => {
      this.#start(true).then(
        (link) => this.#cameBack(link),
        (fault: unknown) => {
          this.#downFault = messageOf(fault);
          if (this.#closing === undefined) this.#restartLater();
        },
      );
    });
  }

  #cameBack(link: WorkerLink): void {
    if (this.#closing !== undefined) {
      void link.terminate();
      return;
    }
    this.#link = link;
    this.#downFault = undefined;
    this.#options.log.info({}, "the store is available again");
  }

  #start(again: boolean): Promise<WorkerLink> {
    const request = this.#options.start();
    return startWorker(
      { ...request, again, known: this.#last ?? request.known },
      { onReply: (reply) => this.#take(reply), onGone: (fault) => this.#gone(fault) },
    );
  }
}
