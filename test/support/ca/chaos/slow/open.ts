import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { openSqliteStore as open, type SqliteStore, type SqliteStoreOptions } from "#ca/store/sqlite/open";

/** A store whose completions wait for as long as there is a file `hold` beside its folder. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const store = await open(options);
  const hold = new URL("../hold", `file://${options.file}`);
  return {
    ...store,
    async recordCompletion(completion) {
      while (existsSync(hold)) await wait(5);
      return store.recordCompletion(completion);
    },
  };
}
