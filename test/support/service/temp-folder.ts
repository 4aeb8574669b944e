import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { afterAll } from "./after-all.ts";

/** A folder that is gone when the test is over, and everything that it has begun has ended. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "garita-test-"));
  afterAll(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}
