/**
 * Long work in small pieces: who runs it may do other things whenever it yields. Work that is not interrupted is `finish`ed; both give the
 * same result.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Items of a list that are worked on between two yields: far less than a millisecond. */
export const stepItems = 256;

/** Runs all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A map of these entries, in steps. */
export function* mapInSteps<K, V>(entries: readonly (readonly [key: K, value: V])[]): Steps<Map<K, V>> {
  const map = new Map<K, V>();
  for (let i = 0; i < entries.length; i++) {
    const [key, value] = entries[i]!;
    map.set(key, value);
    if (i % stepItems === stepItems - 1) yield;
  }
  return map;
}
