import assert from "node:assert/strict";
import { stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createLastRun } from "#authz/rulesets/git/last-run";
import { describeRepository } from "#authz/rulesets/git/repository";
import { createLog } from "#platform/log";
import { gitSettings } from "#test/support/git/git-rules";
import { tempFolder } from "#test/support/service/temp-folder";

/** A file may be named so, and its draft, whose name is longer, may not. */
const longKey = "k".repeat(220);

test("where rules cannot be kept the older ones in their place are not called the newest", async (t) => {
  const folder = await tempFolder(t);
  const { log } = createLog({ level: "info", stream: new PassThrough().resume() });
  const repository = { ...describeRepository(gitSettings("file:///none", folder), {}), key: longKey };
  const file = join(folder, `last-known-good-${longKey}`);
  await writeFile(file, "older");
  await utimes(file, 1_000, 1_000);
  const nowMillis = () => 2_000_000;
  const lastRun = createLastRun({ repository, signatures: undefined, source: "git", nowMillis, log });
  const revision = { commit: "a".repeat(40), signer: undefined };
  const rules = { kind: "built", bytes: new Uint8Array(1), digest: "", diagnostics: [], files: 1, revision } as const;
  await lastRun.keep(rules, revision, undefined);
  assert.match(lastRun.warnings()[0] ?? "", /cannot be kept/);
  await lastRun.confirm();
  assert.equal((await stat(file)).mtimeMs, 1_000_000);
});
