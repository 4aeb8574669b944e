import { messageOf } from "./coded-error.ts";
import type { Log } from "./log.ts";

/** A part that was started, and how it ends. `deadline` aborts when its time is up: whatever is left is to be cut off then. */
export interface Part {
  readonly name: string;
  stop(deadline: AbortSignal): Promise<void> | void;
}

export interface Lifecycle {
  /** Parts are stopped in the reverse order of their adding. */
  add(part: Part): void;
  /** Stops every part, each once, all within the deadline. Later calls wait for the first. Never rejects. */
  stop(deadlineMillis: number): Promise<void>;
  readonly stopping: boolean;
}

/** An ordered start and stop. A part that fails to stop is logged and does not keep the others from stopping. */
export function createLifecycle(log: Log): Lifecycle {
  const parts: Part[] = [];
  let stopped: Promise<void> | undefined;
  return {
    add(part) {
      parts.push(part);
    },
    stop(deadlineMillis) {
      stopped ??= stopAll(parts, deadlineMillis, log);
      return stopped;
    },
    get stopping() {
      return stopped !== undefined;
    },
  };
}

async function stopAll(parts: Part[], deadlineMillis: number, log: Log): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), deadlineMillis);
  // ORDER: what was started last depends on what was started first.
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    try {
      await part.stop(deadline.signal);
    } catch (fault) {
      log.error({ part: part.name, fault: messageOf(fault) }, "a part did not stop");
    }
  }
  clearTimeout(timer);
}

/** What the operator's signals ask for. */
export interface SignalActions {
  /** SIGTERM and SIGINT. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** The second SIGTERM or SIGINT: there is no patience left. */
  readonly abandon: (signal: NodeJS.Signals) => void;
  /** SIGHUP. */
  readonly reload: () => void;
}

/** Listens to signals until the returned function is called. */
export function onSignals(actions: SignalActions): () => void {
  let asked = false;
  const stop = (signal: NodeJS.Signals) => {
    if (asked) actions.abandon(signal);
    else {
      asked = true;
      actions.stop(signal);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", actions.reload);
  return () => {
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
    process.off("SIGHUP", actions.reload);
  };
}
