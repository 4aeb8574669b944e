import { setFlagsFromString } from "node:v8";

/**
 * Keeps what a request leaves behind in the young heap. Call it before requests are served.
 *
 * PERF: while the heap is small V8 sees that what a call makes outlives a collection or two, and from then on allocates such things in
 * the old heap for good: with gRPC calls that is a full collection every few thousand checks and a quarter more processor time
 * (`bench/grpc.ts`, whose yardstick runs with it too). What is loaded and stays is copied once or twice instead.
 */
export function keepRequestsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}

/**
 * Keeps the heap of a program small that has little to do, at the cost of speed. Call it before the program's modules are loaded.
 *
 * PERF: what is read and compiled at the start is collected early, and not kept as room for more: an idle agent of the built package has 84 MB instead of 101 (resident).
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--optimize-for-size");
}

/**
 * Has the young heap collected often until the function that is returned is called, at least once; begun several times, until the last of them has ended. For work that makes much that
 * stays, in slices.
 *
 * PERF: a collection of it takes as long as what has survived is large. Left alone it is let fill, and what stays of 16 MB and more is copied in
 * one pause of 20 to 40 ms; in turns of the loop in between it is copied in pauses of 4 to 7 (`bench/compile.ts`). A heap that were small
 * all the time would make every check dearer as soon as many are under way.
 */
export function collectOften(): () => void {
  if (begun++ === 0) setFlagsFromString(`--minor-gc-task-trigger=${oftenPercent}`);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    if (--begun === 0) setFlagsFromString(`--minor-gc-task-trigger=${usualPercent}`);
  };
}

let begun = 0;

/** Runs work as `collectOften` has it, from its beginning to its end. */
export async function collectingOften<T>(work: () => Promise<T>): Promise<T> {
  const end = collectOften();
  try {
    return await work();
  } finally {
    end();
  }
}

/** How full the young heap is when V8 collects it in a turn of the loop; `usualPercent` is V8's own figure. */
const oftenPercent = 10;
const usualPercent = 80;
