/** Work of which one piece is done at a time. */
export interface Turns<T> {
  /** Does it now, or after what is under way: calls until then share that one, because what changed since the running one began is for the next. */
  share(work: () => Promise<T>): Promise<T>;
  /** Does it when nothing else is under way. */
  take<U>(work: () => Promise<U>): Promise<U>;
}

export function createTurns<T>(): Turns<T> {
  let running: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const run = <U>(work: () => Promise<U>): Promise<U> => {
    const done = work().finally(() => {
      running = undefined;
    });
    running = done;
    return done;
  };
  const take = async <U>(work: () => Promise<U>): Promise<U> => {
    // A fault is told to whoever asked for it.
    while (running !== undefined) await running.catch(() => undefined);
    return run(work);
  };
  return {
    share(work) {
      if (running === undefined) return run(work);
      next ??= take(() => {
        next = undefined;
        return work();
      });
      return next;
    },
    take,
  };
}
