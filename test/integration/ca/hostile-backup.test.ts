import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { backUp } from "#ca/store/sqlite/back-up";
import { tempFolder } from "#test/support/service/temp-folder";

test("a backup that begins while a transaction is under way waits for its end, and is made", async (t) => {
  const folder = await tempFolder(t);
  const database = new DatabaseSync(`${folder}/busy`);
  t.after(() => database.close());
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE rows (content BLOB)");
  const write = database.prepare("INSERT INTO rows VALUES (zeroblob(400))");
  for (let round = 1; round <= 60; round++) {
    const backup = backUp(database, `${folder}/backup`);
    database.exec("BEGIN");
    for (let i = 0; i < 60; i++) write.run();
    database.exec("COMMIT");
    await backup;
    const copy = new DatabaseSync(`${folder}/backup`, { readOnly: true });
    const { count } = copy.prepare("SELECT count(*) AS count FROM rows").get() as { count: number };
    copy.close();
    assert.ok(count === 60 * round || count === 60 * (round - 1), `${count} rows in round ${round}`);
    for (const name of ["backup", "backup-wal", "backup-shm"]) await rm(`${folder}/${name}`, { force: true });
  }
});
