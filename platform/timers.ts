/** Calls back once, after a delay of at most 24 days. The result takes it back. Tests step it. */
export interface Timers {
  after(delayMillis: number, run: () => void): () => void;
}

/** The machine's timers. They keep no process alive. */
export const systemTimers: Timers = {
  after(delayMillis, run) {
    const timer = setTimeout(run, delayMillis);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
