import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { KeyEncryptionKey, readKeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import { CodedError } from "#platform/coded-error";
import { tempFolder } from "#test/support/service/temp-folder";

const cost = { logN: 4, r: 8, p: 1 };
const salt = new Uint8Array(16);
const text = "sixteen bytes at least";

function hasCode(code: string): (fault: unknown) => boolean {
  return (fault) => fault instanceof CodedError && fault.code === code && !fault.message.includes(text);
}

test("the key-encryption key comes from the file or from the environment, and is the same", async (t) => {
  const file = join(await tempFolder(t), "kek");
  await writeFile(file, `${text}\n`, { mode: 0o600 });
  const fromFile = await readKeyEncryptionKey({ file, environment: {} });
  const fromEnvironment = await readKeyEncryptionKey({
    file: undefined,
    environment: { GARITA_CA_KEY_ENCRYPTION_KEY: text },
  });
  assert.deepEqual(await fromFile.derive(salt, cost, 32), await fromEnvironment.derive(salt, cost, 32));
});

test("none, two, one that is too short, and one that others can read are refused", async (t) => {
  const file = join(await tempFolder(t), "kek");
  const environment = { GARITA_CA_KEY_ENCRYPTION_KEY: text };
  await assert.rejects(readKeyEncryptionKey({ file: undefined, environment: {} }), hasCode("ca-key/no-encryption-key"));
  await assert.rejects(readKeyEncryptionKey({ file, environment }), hasCode("ca-key/encryption-key-ambiguous"));
  await assert.rejects(readKeyEncryptionKey({ file, environment: {} }), hasCode("ca-key/no-encryption-key"));
  await assert.rejects(readKeyEncryptionKey({ file: dirname(file), environment: {} }), hasCode("secret/unreadable"));
  await writeFile(file, "fifteen bytes..", { mode: 0o600 });
  await assert.rejects(readKeyEncryptionKey({ file, environment: {} }), hasCode("ca-key/encryption-key-short"));
  for (const short of ["", "fifteen bytes.."])
    await assert.rejects(
      readKeyEncryptionKey({ file: undefined, environment: { GARITA_CA_KEY_ENCRYPTION_KEY: short } }),
      hasCode("ca-key/encryption-key-short"),
    );
  await writeFile(file, text);
  await chmod(file, 0o640);
  await assert.rejects(readKeyEncryptionKey({ file, environment: {} }), hasCode("secret/exposed"));
});

test("the key-encryption key does not get into a log", () => {
  const key = KeyEncryptionKey.of(Buffer.from(text));
  assert.equal(JSON.stringify(key), "{}");
  for (const shown of [inspect(key, { showHidden: true, depth: 9 }), String(key)])
    assert.ok(!shown.includes("sixteen") && !shown.includes("115, 105"), shown);
});
