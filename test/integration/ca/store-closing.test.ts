import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tempFolder } from "#test/support/service/temp-folder";

test("a program that waits for its store to close is told, also when it has nothing else to do", async (t) => {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  const main = fileURLToPath(new URL("../../support/ca/close-store-main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, join(folder, "ca.db")]);
  assert.deepEqual(JSON.parse(stdout), { written: true, closed: true });
});
