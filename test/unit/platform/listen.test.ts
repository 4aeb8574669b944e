import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listen } from "#platform/listen";
import { tempFolder } from "#test/support/service/temp-folder";

function listening(t: TestContext, path: string, mode?: number) {
  const server = createServer();
  t.after(() => server.close());
  return listen(server, { kind: "unix", path }, mode);
}

test("a file that is no socket is never removed, and neither is a link to one", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "precious");
  writeFileSync(file, "precious");
  await assert.rejects(listening(t, file), { code: "listen/failed" });
  assert.equal(readFileSync(file, "utf8"), "precious");
  const link = join(folder, "link");
  symlinkSync(file, link);
  await assert.rejects(listening(t, link), { code: "listen/failed" });
  assert.ok(existsSync(link) && existsSync(file));
});

test("somebody else's living socket stays", async (t) => {
  const path = join(await tempFolder(t), "s.sock");
  await listening(t, path);
  await assert.rejects(listening(t, path), { code: "listen/failed" });
  assert.ok(statSync(path).isSocket());
});

test("a folder that does not exist is named", async (t) => {
  const folder = join(await tempFolder(t), "none");
  await assert.rejects(listening(t, join(folder, "s.sock")), {
    code: "listen/failed",
    message: `cannot listen: the folder ${folder} of the socket does not exist`,
  });
});

test("a socket has the mode that was asked for", async (t) => {
  const folder = await tempFolder(t);
  for (const mode of [0o600, 0o660, 0o666]) {
    const path = join(folder, `${mode}.sock`);
    await listening(t, path, mode);
    assert.equal(statSync(path).mode & 0o777, mode);
  }
});
