import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";
import { tempFolder } from "#test/support/service/temp-folder";

const bytes = new TextEncoder().encode("new");
const unwritable = (fault: unknown) => fault instanceof CodedError && fault.code === "output/unwritable";

test("a file is replaced or made, with its mode", async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, "file");
  await writeFile(path, "old");
  await writeWhole(path, bytes, { mode: 0o600 });
  assert.equal(await readFile(path, "utf8"), "new");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ["file"]);
});

test("what is there and no file stays what it is, also behind a link", async (t) => {
  const folder = await tempFolder(t);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await symlink(pipe, join(folder, "link"));
  await mkdir(join(folder, "folder"));
  for (const name of ["pipe", "link", "folder"]) {
    await assert.rejects(writeWhole(join(folder, name), bytes), unwritable);
  }
  assert.ok((await stat(join(folder, "link"))).isFIFO());
  assert.deepEqual((await readdir(folder)).toSorted(), ["folder", "link", "pipe"]);
});

test("what is kept is not replaced", async (t) => {
  const path = join(await tempFolder(t), "file");
  await writeWhole(path, bytes, { keepExisting: true });
  await assert.rejects(writeWhole(path, bytes, { keepExisting: true }), (fault) => {
    return fault instanceof CodedError && fault.code === "output/exists";
  });
});
