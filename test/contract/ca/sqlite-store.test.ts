import { openSqliteStore } from "#ca/store/sqlite/open";
import { storeContract } from "#test/contract/ca/store-suite";
import { silentLog } from "#test/support/ca/silent-log";
import { noonMillis } from "#test/support/ca/store-records";
import { tempFolder } from "#test/support/service/temp-folder";

storeContract("SQLite", async (t) => {
  const file = `${await tempFolder(t)}/ca.db`;
  const open = () => openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  let store = await open();
  t.after(() => store.close());
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
  };
});
