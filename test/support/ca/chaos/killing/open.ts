import { openSqliteStore as open, type SqliteStore, type SqliteStoreOptions } from "#ca/store/sqlite/open";
import { reach } from "../points.ts";

/** The store, which dies at its doors. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const store = await open(options);
  return {
    ...store,
    recordIntent(...args) {
      reach("before-intent");
      return store.recordIntent(...args);
    },
    async recordCompletion(completion) {
      await store.recordCompletion(completion);
      reach("before-answer");
    },
  };
}
