import assert from "node:assert/strict";
import { mkdir, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { listDirectory, readDirectory } from "#authz/rulesets/read-directory";
import { CodedError } from "#platform/coded-error";
import { tempFolder } from "#test/support/service/temp-folder";

const code = (wanted: string) => (fault: unknown) => fault instanceof CodedError && fault.code === wanted;
const paths = async (root: string) => (await readDirectory(root)).map(({ path }) => path);

test("policy files are found at any depth, sorted; what is hidden or left over is passed over", async (t) => {
  const root = await tempFolder(t);
  await mkdir(join(root, "b/c"), { recursive: true });
  await mkdir(join(root, ".git"));
  await mkdir(join(root, "folder.yaml"));
  const kept = ["a.yaml", "B.json", "b/c/d.yml", "folder.yaml/x.yaml", "b.yaml"];
  const passed = [
    ".a.yaml",
    ".git/x.yaml",
    ".a.yaml.swp",
    "a.yaml~",
    "#a.yaml#",
    "a.txt",
    "a.yaml.bak",
    "4913",
    "yaml",
  ];
  for (const path of [...kept, ...passed]) await writeFile(join(root, path), path);
  const files = await readDirectory(root);
  assert.deepEqual(
    files.map(({ path }) => path),
    kept.toSorted(),
  );
  for (const { path, bytes } of files) assert.equal(Buffer.from(bytes).toString(), path);
});

test("links are followed inside the folder, also the way that mounted configuration is exchanged", async (t) => {
  const root = await tempFolder(t);
  for (const [version, text] of [
    ["..v1", "one"],
    ["..v2", "two"],
  ] as const) {
    await mkdir(join(root, version));
    await writeFile(join(root, version, "a.yaml"), text);
  }
  await symlink("..v1", join(root, "..now"));
  await symlink("..now/a.yaml", join(root, "a.yaml"));
  await mkdir(join(root, "d"));
  await writeFile(join(root, "d/x.yaml"), "x");
  await symlink("d", join(root, "e"));
  await symlink("..", join(root, "d/loop"));
  await symlink("nowhere.yaml", join(root, "dangling.yaml"));
  assert.deepEqual(await paths(root), ["a.yaml", "d/x.yaml", "e/x.yaml"]);
  const before = (await listDirectory(root)).fingerprint;
  await symlink("..v2", join(root, "..next"));
  await rename(join(root, "..next"), join(root, "..now"));
  assert.notEqual((await listDirectory(root)).fingerprint, before);
  assert.equal(Buffer.from((await readDirectory(root))[0]!.bytes).toString(), "two");
});

test("a link out of the folder is refused", async (t) => {
  const outside = await tempFolder(t);
  await writeFile(join(outside, "a.yaml"), "secret");
  for (const [target, name] of [
    [join(outside, "a.yaml"), "a.yaml"],
    [outside, "d"],
    ["/", "root"],
  ] as const) {
    const root = await tempFolder(t);
    await symlink(target, join(root, name));
    await assert.rejects(readDirectory(root), code("source/escape"));
  }
  // The beginning of a name is not the folder.
  const root = join(outside, "policies");
  await mkdir(root);
  await mkdir(`${root}-sibling`);
  await symlink(`${root}-sibling`, join(root, "d"));
  await assert.rejects(readDirectory(root), code("source/escape"));
});

test("the folder itself may be a link, and may be empty, but has to be there", async (t) => {
  const root = await tempFolder(t);
  await mkdir(join(root, "real"));
  await symlink("real", join(root, "link"));
  assert.deepEqual(await paths(join(root, "link")), []);
  await assert.rejects(readDirectory(join(root, "none")), code("source/missing"));
  await writeFile(join(root, "file.yaml"), "x");
  await assert.rejects(readDirectory(join(root, "file.yaml")), code("source/missing"));
});

test("what is too large is not read", async (t) => {
  const root = await tempFolder(t);
  await mkdir(join(root, "a/b"), { recursive: true });
  for (const path of ["a/x.yaml", "a/b/y.yaml", "z.yaml"]) await writeFile(join(root, path), "12345");
  const limits = { files: 3, totalSizeBytes: 15, depth: 3 };
  assert.equal((await readDirectory(root, limits)).length, 3);
  for (const less of [{ files: 2 }, { totalSizeBytes: 14 }, { depth: 2 }]) {
    await assert.rejects(readDirectory(root, { ...limits, ...less }), code("source/too-large"));
  }
});

test("the fingerprint differs when a file's content was written, also with the same size and time", async (t) => {
  const root = await tempFolder(t);
  const path = join(root, "a.yaml");
  await writeFile(path, "one");
  await utimes(path, 1, 1);
  const before = (await listDirectory(root)).fingerprint;
  assert.equal((await listDirectory(root)).fingerprint, before);
  await writeFile(path, "two");
  await utimes(path, 1, 1);
  assert.notEqual((await listDirectory(root)).fingerprint, before);
});
