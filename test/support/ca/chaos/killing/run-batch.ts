import type { Ledger } from "#ca/store/sqlite/ledger";
import type { Call, Operations } from "#ca/store/sqlite/operations";
import { runBatch as run } from "#ca/store/sqlite/run-batch";
import { reach } from "../points.ts";

/** A batch that dies before anything of it is written, in its transaction when all of it is, and when it is on the disk and nobody was told. */
export function runBatch(ledger: Ledger, operations: Operations, calls: readonly Call[], file: string) {
  const has = (wanted: Call[0]) => calls.some(([name]) => name === wanted);
  const changesAuthorities = has("addAuthority") || has("setAuthorityStates");
  if (changesAuthorities) reach("authority-sent");
  if (has("recordIntent")) reach("intent-sent");
  if (has("recordCompletion")) reach("completion-sent");
  const dying: Ledger = {
    ...ledger,
    get state() {
      return ledger.state;
    },
    transaction: (work) =>
      ledger.transaction(() => {
        const result = work();
        if (changesAuthorities) reach("authority-not-committed");
        if (has("recordIntent")) reach("intent-not-committed");
        if (has("recordCompletion")) reach("completion-not-committed");
        return result;
      }),
  };
  const reply = run(dying, operations, calls, file);
  if (changesAuthorities) reach("authority-committed");
  if (has("recordIntent")) reach("intent-committed");
  if (has("recordCompletion")) reach("completion-committed");
  return reply;
}
