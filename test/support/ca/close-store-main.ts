/** `close-store-main.ts FILE`: begins a write, closes the store at once, with nothing else that keeps the program alive, and prints what became of both. */
import { openSqliteStore } from "#ca/store/sqlite/open";
import { createLog } from "#platform/log";

const { log } = createLog({ level: "silent" });
const store = await openSqliteStore({ file: process.argv[2]!, nowMillis: Date.now, log });
let written = false;
void store.recordEvent({ kind: "backed-up", atMillis: Date.now(), body: {} }).then(() => {
  written = true;
});
await store.close();
console.log(JSON.stringify({ written, closed: true }));
