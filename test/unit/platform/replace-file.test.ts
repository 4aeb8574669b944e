import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "#platform/replace-file";
import { writeWhole } from "#platform/write-whole";
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

test("writers of one file at a time leave it as one of them wrote it, and nothing beside it", async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, "rules");
  const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(100_000));
  await Promise.all(texts.map((text) => writeWhole(path, Buffer.from(text), { mode: 0o600 })));
  assert.ok(texts.includes(await readFile(path, "utf8")));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ["rules"]);
});

test("of writers that keep what is there one is first, and the others are told", async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, "key");
  const written = await Promise.allSettled(
    ["a", "b", "c"].map((text) => writeWhole(path, Buffer.from(text), { keepExisting: true })),
  );
  const refused = written.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
  assert.deepEqual(refused, ["output/exists", "output/exists"]);
  assert.equal(
    await readFile(path, "utf8"),
    ["a", "b", "c"][written.findIndex(({ status }) => status === "fulfilled")],
  );
  assert.deepEqual(await readdir(folder), ["key"]);
});

test("a file that cannot be written is told by its name, and nothing is left behind", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "rules", "in-the-way"), { recursive: true });
  await writeFile(join(folder, "file"), "");
  for (const path of [join(folder, "rules"), join(folder, "none", "x"), join(folder, "file", "x")])
    await assert.rejects(writeWhole(path, Buffer.from("one")), (fault: Error & { code: string }) => {
      assert.equal(fault.code, "output/unwritable");
      assert.ok(fault.message.startsWith(`\`${path}\` cannot be written: `), fault.message);
      return true;
    });
  assert.deepEqual((await readdir(folder)).sort(), ["file", "rules"]);
});
