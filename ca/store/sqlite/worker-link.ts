import { Worker } from "node:worker_threads";
import { type Reply, type Request, receivedFault, type StartRequest } from "#ca/store/sqlite/messages";
import type { KnownEntry } from "#ca/store/sqlite/opening";
import { CodedError, messageOf } from "#platform/coded-error";
import { moduleAt } from "#platform/thread";

export type BatchReply = Extract<Reply, { readonly kind: "batch" }>;

/** A running thread that has the database open. */
export interface WorkerLink {
  /** Serials, see `OpenStore`. */
  readonly abandoned: readonly string[];
  /** Where the log ended when it was opened. */
  readonly last: KnownEntry;
  send(request: Request): void;
  /** Keeps this program alive, or no longer. */
  hold(held: boolean): void;
  /** Ends the thread whatever it is at. */
  terminate(): Promise<unknown>;
}

export interface LinkEvents {
  onReply(reply: Reply): void;
  /** The thread is gone, unasked or asked. Called once. */
  onGone(fault: CodedError): void;
}

/** Starts the thread; resolves when the database is open, and rejects with what kept it from being. */
export function startWorker(request: StartRequest, events: LinkEvents): Promise<WorkerLink> {
  const worker = new Worker(moduleAt("./store-worker", import.meta.url), { workerData: request, name: "garita-store" });
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const gone = (fault: CodedError) => {
      worker.removeAllListeners();
      // What a thread that is ending still throws is told already.
      worker.on("error", () => {});
      if (isOpen) events.onGone(fault);
      else reject(fault);
    };
    worker.on("error", (cause) => gone(unavailable(`the thread of the database failed: ${messageOf(cause)}`, cause)));
    worker.on("exit", () => gone(unavailable("the thread of the database ended")));
    worker.on("message", (reply: Reply) => {
      if (reply.kind === "opened") {
        isOpen = true;
        worker.unref();
        const hold = (held: boolean) => (held ? worker.ref() : worker.unref());
        const { abandoned, last } = reply;
        resolve({
          abandoned,
          last,
          send: (sent) => worker.postMessage(sent),
          hold,
          terminate: () => worker.terminate(),
        });
      } else if (reply.kind === "not-opened") {
        worker.removeAllListeners();
        void worker.terminate().then(() => reject(receivedFault(reply.fault)));
      } else events.onReply(reply);
    });
  });
}

export function unavailable(message: string, cause?: unknown): CodedError {
  return new CodedError("ca-store/unavailable", message, { cause });
}
