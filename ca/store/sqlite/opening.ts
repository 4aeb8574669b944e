import { hashEntry } from "#ca/store/chain";
import type { AuditHead } from "#ca/store/contract";
import { headFileOf } from "#ca/store/head-file";
import { type DatabasePlace, openDatabase } from "#ca/store/sqlite/database";
import { type Ledger, openLedger } from "#ca/store/sqlite/ledger";
import { createOperations, type Operations } from "#ca/store/sqlite/operations";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { CodedError } from "#platform/coded-error";

export interface OpeningRequest extends DatabasePlace {
  /** An entry that the log must have: the head of the file beside the database, or what this service saw last. Undefined: none is known. */
  readonly known: KnownEntry | undefined;
  readonly nowMillis: number;
  /** Is this the same service again, whose thread died? Then what is under way still is. */
  readonly again: boolean;
}

export type KnownEntry = Pick<AuditHead, "number" | "hash" | "generation">;

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
    checkKnown(ledger, operations, request);
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

function checkKnown(ledger: Ledger, operations: Operations, { known, file, again }: OpeningRequest): void {
  if (known === undefined) return;
  const found = operations.hashOfEntry(known.number);
  if (found === known.hash && ledger.generation >= known.generation) return;
  const seen =
    found === undefined
      ? `has only ${ledger.state.number}`
      : found === known.hash
        ? `is of generation ${ledger.generation}, before ${known.generation}`
        : "has another in its place";
  throw new CodedError(
    "ca-store/rolled-back",
    `${again ? "this service saw" : `\`${headFileOf(file)}\` vouches for`} entry ${known.number}, and the log of \`${file}\` ${seen}: ` +
      "an older copy was put in place? Bring back a backup with `garita ca restore`, which ends what may have been used since",
  );
}

/** What was written last must be whole: everything to come is chained to it. */
function checkEnd(ledger: Ledger, operations: Operations, file: string): void {
  const [last] = operations.auditEntries(ledger.state.number, 1);
  if (last === undefined || hashEntry(last.canonical) === last.hash) return;
  throw new CodedError("ca-store/damaged", `the last entry of the log of \`${file}\` is not as it was written`);
}
