/** Work that is done soon, each piece once however often it is asked for meanwhile. */
export interface Turns {
  add(work: () => void): void;
  /** What waits is forgotten. */
  clear(): void;
}

/** So many pieces at once, which takes about 10 ms: a thousand streams that have something to send leave others their turn in between. */
const perTurn = 256;

/** `nextTurn` calls back once the event loop has looked at everything else: `setImmediate`. */
export function createTurns(nextTurn: (run: () => void) => void): Turns {
  const waiting = new Set<() => void>();
  let scheduled = false;
  const schedule = () => {
    if (scheduled || waiting.size === 0) return;
    scheduled = true;
    nextTurn(run);
  };
  const run = () => {
    scheduled = false;
    let done = 0;
    for (const work of waiting) {
      if (done++ === perTurn) break;
      waiting.delete(work);
      work();
    }
    schedule();
  };
  return {
    add(work) {
      waiting.add(work);
      schedule();
    },
    clear: () => waiting.clear(),
  };
}
