import { setTimeout as wait } from "node:timers/promises";

/** Looks again until it is so, or the test is over: a program outside tells nobody when it has noticed something. */
export async function until(t: { readonly signal: AbortSignal }, look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await wait(20, undefined, { signal: t.signal });
}
