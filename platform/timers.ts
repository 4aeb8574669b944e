/** Calls back once, after a delay. The result takes it back. A timer alone keeps no program running. */
export const systemTimers = {
  after(delayMillis: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMillis);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
