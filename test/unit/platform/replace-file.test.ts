import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "#platform/replace-file";
import { tempFolder } from "#test/support/service/temp-folder";

test("a file is made with its mode and replaced whole, whatever a killed program left beside it", async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, "key.pem");
  await writeFile(`${path}.part`, "half of", { mode: 0o666 });
  await replaceFile(path, Buffer.from("one"), 0o600);
  assert.equal(await readFile(path, "utf8"), "one");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await replaceFile(path, Buffer.from("two"), 0o640);
  assert.equal(await readFile(path, "utf8"), "two");
  assert.equal((await stat(path)).mode & 0o777, 0o640 & ~process.umask());
  assert.deepEqual(await readdir(folder), ["key.pem"]);
});

test("a file that cannot be written leaves nothing behind", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "key.pem", "in-the-way"), { recursive: true });
  await assert.rejects(replaceFile(join(folder, "key.pem"), Buffer.from("one"), 0o600));
  assert.deepEqual(await readdir(folder), ["key.pem"]);
  await assert.rejects(replaceFile(join(folder, "no-folder", "x"), Buffer.from("one"), 0o600), { code: "ENOENT" });
});
