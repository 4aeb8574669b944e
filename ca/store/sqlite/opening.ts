import { hashEntry } from "#ca/store/chain";
import type { AuditHead } from "#ca/store/contract";
import { type DatabasePlace, openDatabase } from "#ca/store/sqlite/database";
import { type Ledger, openLedger } from "#ca/store/sqlite/ledger";
import { createOperations, type Operations } from "#ca/store/sqlite/operations";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { CodedError } from "#platform/coded-error";

export interface OpeningRequest extends DatabasePlace {
  /** What the file beside the database says; undefined: there is none. */
  readonly head: AuditHead | undefined;
  readonly nowMillis: number;
  /** Is this the same service again, whose thread died? Then what is under way still is. */
  readonly again: boolean;
}

export interface OpenStore {
  readonly ledger: Ledger;
  readonly operations: Operations;
  /** Serials of an earlier run's intents that came to nothing. */
  readonly abandoned: readonly string[];
}

/**
 * Opens the database for the service. Its log must go on from where the head says that it was; intents that an earlier run left open are written off; the opening itself is
 * an entry. Fails as `openDatabase` does, and with `ca-store/rolled-back`.
 */
export function openForService(request: OpeningRequest): OpenStore {
  const database = openDatabase(request);
  try {
    const ledger = openLedger(database);
    const operations = createOperations(ledger, request.file);
    checkHead(ledger, operations, request);
    checkEnd(ledger, operations, request.file);
    return { ledger, operations, abandoned: request.again ? [] : begin(ledger, operations, request.nowMillis) };
  } catch (fault) {
    database.close();
    throw codedFault(fault, request.file);
  }
}

function begin(ledger: Ledger, operations: Operations, nowMillis: number): readonly string[] {
  return ledger.transaction(() => {
    const abandoned = operations.abandonOpenIntents(nowMillis, "the service ended before it was completed");
    operations.forgetOldTokens(nowMillis);
    const { generation, schemaVersion } = ledger;
    ledger.append("opened", nowMillis, { abandoned: abandoned.length, generation, schemaVersion });
    return abandoned;
  });
}

function checkHead(ledger: Ledger, operations: Operations, { head, file }: OpeningRequest): void {
  if (head === undefined) return;
  const found = operations.hashOfEntry(head.number);
  if (found === head.hash && ledger.generation >= head.generation) return;
  const seen =
    found === undefined
      ? `has only ${ledger.state.number}`
      : found === head.hash
        ? `is of generation ${ledger.generation}, before ${head.generation}`
        : "has another in its place";
  throw new CodedError(
    "ca-store/rolled-back",
    `\`${file}.head\` vouches for entry ${head.number}, and the log of \`${file}\` ${seen}: ` +
      "an older copy was put in place? Bring back a backup with `garita ca restore`, which ends what may have been used since",
  );
}

/** What was written last must be whole: everything to come is chained to it. */
function checkEnd(ledger: Ledger, operations: Operations, file: string): void {
  const [last] = operations.auditEntries(ledger.state.number, 1);
  if (last === undefined || hashEntry(last.canonical) === last.hash) return;
  throw new CodedError("ca-store/damaged", `the last entry of the log of \`${file}\` is not as it was written`);
}
