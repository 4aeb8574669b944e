import type { TestContext } from "node:test";

/** `t.after` for what others may still need: hooks run in the order in which they were added, and one that a hook adds comes last. */
export function afterAll(t: TestContext, run: () => unknown): void {
  t.after(() => t.after(run));
}
