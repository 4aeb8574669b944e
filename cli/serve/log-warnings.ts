import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";

/** Tells warnings to the log. */
export interface WarningLog {
  /** Those that hold now: each once, for as long as it holds. */
  tell(): void;
  stop(): void;
}

/** Some begin to hold by time alone. */
const lookMillis = 60_000;

/** `warnings`: those that hold. From the first `tell` on they are looked at each minute. */
export function logWarnings(warnings: () => readonly string[], log: Log, timers: Timers): WarningLog {
  let logged: readonly string[] = [];
  let cancel = () => {};
  let stopped = false;
  const tell = () => {
    const now = warnings();
    for (const warning of now) if (!logged.includes(warning)) log.warn(warning);
    logged = now;
    cancel();
    if (!stopped) cancel = timers.after(lookMillis, tell);
  };
  return {
    tell,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
