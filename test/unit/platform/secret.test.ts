import assert from "node:assert/strict";
import { chmod, chown, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { runtimeFault } from "#platform/runtime";
import { readPrivateSecret, readSecret, secretsEqual } from "#platform/secret";
import { tempFolder } from "#test/support/service/temp-folder";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

test("a secret is its file without the line break at the end", async (t) => {
  const path = join(await tempFolder(t), "secret");
  for (const [content, secret] of [
    ["abc", "abc"],
    ["abc\n", "abc"],
    ["abc\r\n", "abc"],
    [" a c \n\n", " a c "],
  ] as const) {
    await writeFile(path, content);
    assert.deepEqual(await readSecret(path), bytes(secret));
  }
});

test("an empty secret and a missing one are refused", async (t) => {
  const path = join(await tempFolder(t), "secret");
  await assert.rejects(readSecret(path), (fault) => fault instanceof CodedError && fault.code === "secret/unreadable");
  await writeFile(path, "\n");
  await assert.rejects(readSecret(path), (fault) => fault instanceof CodedError && fault.code === "secret/empty");
});

test("a private secret is read only when nobody else can read or write it, links followed", async (t) => {
  const folder = await tempFolder(t);
  const [path, link] = [join(folder, "secret"), join(folder, "link")];
  await writeFile(path, "abc\n");
  await symlink("secret", link);
  for (const mode of [0o600, 0o400, 0o700]) {
    await chmod(path, mode);
    assert.deepEqual(await readPrivateSecret(path), bytes("abc"));
    assert.deepEqual(await readPrivateSecret(link), bytes("abc"));
  }
  for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o777, 0o440]) {
    await chmod(path, mode);
    for (const name of [path, link])
      await assert.rejects(
        readPrivateSecret(name),
        (fault) =>
          fault instanceof CodedError && fault.code === "secret/exposed" && fault.message.includes("chmod 600"),
        mode.toString(8),
      );
  }
});

test("a credential of systemd may be readable by a group, if it is root's and in that folder itself", async (t) => {
  const folder = await tempFolder(t);
  const [path, within] = [join(folder, "secret"), join(folder, "within")];
  await mkdir(within);
  await writeFile(path, "abc");
  await writeFile(join(within, "secret"), "abc");
  const exposed = (fault: unknown) => fault instanceof CodedError && fault.code === "secret/exposed";
  for (const file of [path, join(within, "secret")]) await chmod(file, 0o440);
  const isRoot = process.getuid!() === 0;
  if (isRoot) assert.deepEqual(await readPrivateSecret(path, 4321, folder), bytes("abc"));
  else await assert.rejects(readPrivateSecret(path, undefined, folder), exposed, "it is not root's");
  for (const other of [undefined, within, join(folder, "..")])
    await assert.rejects(readPrivateSecret(path, 4321, other), exposed);
  await assert.rejects(readPrivateSecret(join(within, "secret"), 4321, folder), exposed);
  for (const mode of [0o460, 0o450, 0o444, 0o442]) {
    await chmod(path, mode);
    await assert.rejects(readPrivateSecret(path, 4321, folder), exposed, mode.toString(8));
  }
  if (!isRoot) return;
  await chmod(path, 0o440);
  await chown(path, 4321, 4321);
  await assert.rejects(readPrivateSecret(path, 4321, folder), exposed, "our own");
});

test("a private secret belongs to us or to root", async (t) => {
  const path = join(await tempFolder(t), "secret");
  await writeFile(path, "abc", { mode: 0o600 });
  const ownUid = process.getuid!();
  if (ownUid === 0) {
    assert.deepEqual(await readPrivateSecret(path, 4321), bytes("abc"), "root's");
    await chown(path, 1234, 1234);
    assert.deepEqual(await readPrivateSecret(path, 1234), bytes("abc"));
  }
  await assert.rejects(
    readPrivateSecret(path, ownUid + 4321),
    (fault) => fault instanceof CodedError && fault.code === "secret/exposed",
  );
});

test("a private secret is a small file that is not empty", async (t) => {
  const folder = await tempFolder(t);
  const [large, empty, directory] = ["large", "empty", "directory"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(large, Buffer.alloc(64 * 1024 + 1, 1), { mode: 0o600 });
  await writeFile(empty, "\n", { mode: 0o600 });
  await mkdir(directory, { mode: 0o700 });
  for (const [path, code] of [
    [large, "secret/unreadable"],
    [empty, "secret/empty"],
    [directory, "secret/unreadable"],
    [join(folder, "missing"), "secret/unreadable"],
    ["/dev/zero", "secret/unreadable"],
  ] as const)
    await assert.rejects(readPrivateSecret(path), (fault) => fault instanceof CodedError && fault.code === code, path);
});

test("secrets are equal when all of their bytes are", () => {
  assert.equal(secretsEqual(bytes("abc"), bytes("abc")), true);
  for (const other of ["", "ab", "abcd", "abd", "Abc"]) assert.equal(secretsEqual(bytes("abc"), bytes(other)), false);
});

test("an old runtime is told what to do in one line", () => {
  assert.equal(runtimeFault("24.0.0"), undefined);
  assert.equal(runtimeFault("26.1.0"), undefined);
  assert.match(runtimeFault("20.19.5")!, /^garita needs Node\.js 24 or newer, and this is 20\.19\.5: [^\n]+$/);
});
