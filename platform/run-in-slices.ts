/** How long the event loop is held at a time. */
const sliceMillis = 3;

/** Runs work that can be interrupted, and lets the event loop turn every few milliseconds. Rejects with what the work throws. */
export async function runInSlices<T>(work: Iterator<undefined, T, undefined>): Promise<T> {
  let end = performance.now() + sliceMillis;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + sliceMillis;
  }
}
