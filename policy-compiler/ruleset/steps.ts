/**
 * Long work in short steps: a generator that yields where it may be interrupted and returns its result. Whoever runs it decides
 * between two steps whether something else has to happen first.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Runs steps to their end at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Items that are read between two interruptions: well under a millisecond of work each time. */
const itemsPerStep = 512;

/** A list of `count` items, made by `make` one after the other. */
export function* listInSteps<T>(count: number, make: (index: number) => T): Steps<T[]> {
  const items = new Array<T>(count);
  for (let i = 0; i < count; i++) {
    items[i] = make(i);
    if (i % itemsPerStep === itemsPerStep - 1) yield;
  }
  return items;
}
