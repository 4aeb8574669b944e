import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { runtimeFault } from "#platform/runtime";
import { readSecret, secretsEqual } from "#platform/secret";
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

test("secrets are equal when all of their bytes are", () => {
  assert.equal(secretsEqual(bytes("abc"), bytes("abc")), true);
  for (const other of ["", "ab", "abcd", "abd", "Abc"]) assert.equal(secretsEqual(bytes("abc"), bytes(other)), false);
});

test("an old runtime is told what to do in one line", () => {
  assert.equal(runtimeFault("24.0.0"), undefined);
  assert.equal(runtimeFault("26.1.0"), undefined);
  assert.match(runtimeFault("20.19.5")!, /^garita needs Node\.js 24 or newer, and this is 20\.19\.5: [^\n]+$/);
});
