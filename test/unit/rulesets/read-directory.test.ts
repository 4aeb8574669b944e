import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { directoryLimits, listDirectory, readDirectory } from "#authz/rulesets/read-directory";
import { tempFolder } from "#test/support/service/temp-folder";

test("links lead to files and folders inside of the folder, and nowhere else", async (t) => {
  const outside = await tempFolder(t);
  writeFileSync(join(outside, "secret.yaml"), "a: secret");
  for (const target of [join(outside, "secret.yaml"), outside]) {
    const folder = await tempFolder(t);
    symlinkSync(target, join(folder, "a.yaml"));
    await assert.rejects(readDirectory(folder), { code: "source/escape" });
  }
  // A folder whose name begins like ours is another folder.
  const folder = await tempFolder(t);
  const inner = join(folder, "policies");
  const neighbour = join(folder, "policies-evil");
  for (const each of [inner, neighbour]) mkdirSync(each);
  writeFileSync(join(neighbour, "a.yaml"), "a: evil");
  symlinkSync("../policies-evil/a.yaml", join(inner, "a.yaml"));
  await assert.rejects(readDirectory(inner), { code: "source/escape" });
});

test("a pipe is not opened, be it there or linked to", async (t) => {
  const folder = await tempFolder(t);
  execFileSync("mkfifo", [join(folder, "pipe.yaml"), join(folder, "hidden")]);
  symlinkSync("pipe.yaml", join(folder, "one.yaml"));
  symlinkSync("hidden", join(folder, "two.yaml"));
  writeFileSync(join(folder, "real.yaml"), "");
  assert.deepEqual(
    (await readDirectory(folder)).map(({ path }) => path),
    ["real.yaml"],
  );
});

test("folders that link to each other end the walk, not the program", async (t) => {
  const folder = await tempFolder(t);
  // Each of twelve folders links twice to the next one: 4,096 ways to the last.
  for (let i = 0; i < 12; i++) mkdirSync(join(folder, `f${i}`));
  for (let i = 0; i < 11; i++) for (const name of ["a", "b"]) symlinkSync(`../f${i + 1}`, join(folder, `f${i}`, name));
  symlinkSync("..", join(folder, "f11", "up"));
  await assert.rejects(listDirectory(folder, { ...directoryLimits, files: 500 }), { code: "source/too-large" });
});
