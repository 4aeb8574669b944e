import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A folder that is gone when the test is over, and everything that it has begun has ended. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "garita-test-"));
  afterAll(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `t.after` for what others may still need: hooks run in the order in which they were added, and one that a hook adds comes last. */
export function afterAll(t: TestContext, run: () => unknown): void {
  t.after(() => t.after(run));
}
