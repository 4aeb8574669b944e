/** How long the loop may be kept before others get their turn. */
const sliceMillis = 1;

/**
 * Runs steps to their end and lets the event loop turn in between: a request that arrives meanwhile waits for one slice at most.
 * Takes a little longer than running them at once.
 */
export async function inSlices<T>(steps: Generator<undefined, T, undefined>, nowMillis: () => number): Promise<T> {
  let began = nowMillis();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (nowMillis() - began < sliceMillis) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    began = nowMillis();
  }
}
