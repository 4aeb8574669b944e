import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { sweepDrafts, writeWhole } from "#platform/write-whole";
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

test("pieces are written one after the other", async (t) => {
  const path = join(await tempFolder(t), "file");
  await writeWhole(path, [bytes, new Uint8Array(), Buffer.alloc(3_000_000, 7), bytes]);
  const written = await readFile(path);
  assert.ok(written.equals(Buffer.concat([bytes, Buffer.alloc(3_000_000, 7), bytes])));
});

test("drafts of writers that were killed are taken away when they are old, and nothing else is", async (t) => {
  const folder = await tempFolder(t);
  const draft = "file.5b2c1f0e-0000-4000-8000-0123456789ab.part";
  const names = [draft, "file", "file.part", `${draft}.yaml`].toSorted();
  for (const name of names) await writeFile(join(folder, name), "");
  const writtenMillis = 1_800_000_000_000;
  for (const name of names) await utimes(join(folder, name), writtenMillis / 1000, writtenMillis / 1000);
  await sweepDrafts(folder, writtenMillis + 3_600_000);
  assert.deepEqual((await readdir(folder)).toSorted(), names);
  await sweepDrafts(folder, writtenMillis + 3_600_001);
  assert.deepEqual(
    (await readdir(folder)).toSorted(),
    names.filter((name) => name !== draft),
  );
  await sweepDrafts(join(folder, "none"), writtenMillis);
});
