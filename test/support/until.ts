/** How often is looked once it takes longer. */
const pauseMillis = 10;
/** For so long every turn of the event loop: what is waited for is mostly a few turns away. */
const turnsMillis = 50;

/** Looks again until it is so; the milliseconds that this took. Fails after `patienceMillis`, with `what` was waited for. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what = String(isSo),
  patienceMillis = 60_000,
): Promise<number> {
  const begunMillis = performance.now();
  for (;;) {
    if (await isSo()) return performance.now() - begunMillis;
    const passedMillis = performance.now() - begunMillis;
    if (passedMillis > patienceMillis) throw new Error(`${what}: not within ${patienceMillis / 1000} seconds`);
    await new Promise<void>((resolve) => {
      if (passedMillis < turnsMillis) setImmediate(resolve);
      else setTimeout(resolve, pauseMillis);
    });
  }
}
