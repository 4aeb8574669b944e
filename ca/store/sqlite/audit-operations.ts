import { statSync } from "node:fs";
import type { AuditEntry, AuditEvent, AuditHead, AuditKind, StoreStatus } from "#ca/store/contract";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { entryOf, headOf } from "#ca/store/sqlite/rows";

/** Kinds that have no table beside the log: whoever could write the others without it would make the log a lie. */
const plainKinds: readonly AuditKind[] = ["authority-activated", "root-rotation", "opened", "backed-up", "restored"];

/** How many heads are kept: a head vouches for all that stands before it, so that older ones add nothing. */
const keptHeads = 10_000;

/** The log itself. */
export function auditOperations(ledger: Ledger, file: string) {
  const { database } = ledger;
  const entries = database.prepare("SELECT * FROM audit_entries WHERE number >= ? ORDER BY number LIMIT ?");
  const entryHash = database.prepare("SELECT hash FROM audit_entries WHERE number = ?");
  const heads = database.prepare("SELECT * FROM audit_heads ORDER BY number DESC, sequence DESC LIMIT ?");
  const insertHead = database.prepare(
    "INSERT OR IGNORE INTO audit_heads (number, hash, at_millis, generation, audit_key_id, signature) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const forgetHeads = database.prepare(
    "DELETE FROM audit_heads WHERE sequence <= (SELECT max(sequence) FROM audit_heads) - ?",
  );
  const newestHead = (): AuditHead | undefined => {
    const row = heads.get(1);
    return row && headOf(row);
  };
  return {
    recordEvent({ kind, atMillis, body }: AuditEvent): void {
      if (!plainKinds.includes(kind)) throw new Error(`an entry \`${kind}\` is written with what it tells of`);
      ledger.append(kind, atMillis, body);
    },
    auditEntries(from: number, limit: number): readonly AuditEntry[] {
      return entries.all(from, limit).map(entryOf);
    },
    /** Of the entry with this number; undefined: there is none. */
    hashOfEntry(number: number): string | undefined {
      const hash = entryHash.get(number)?.["hash"];
      return typeof hash === "string" ? hash : undefined;
    },
    auditHeads(limit: number): readonly AuditHead[] {
      return heads.all(limit).map(headOf);
    },
    addAuditHead(head: AuditHead): void {
      if (entryHash.get(head.number)?.["hash"] !== head.hash || head.generation !== ledger.generation) {
        throw new Error(`the head of entry ${head.number} is not of this log`);
      }
      const { number, hash, atMillis, generation, auditKeyId, signature } = head;
      insertHead.run(number, hash, atMillis, generation, auditKeyId, signature);
      forgetHeads.run(keptHeads);
    },
    /** Has a page written and changes nothing: the version of the schema is the one value that SQLite writes although it is the same. */
    probeWriting(): void {
      database.exec(`PRAGMA user_version=${ledger.schemaVersion}`);
    },
    storeStatus(): Omit<StoreStatus, "fault"> {
      const { number, hash, latestAtMillis, issued, unfinished } = ledger.state;
      return {
        schemaVersion: ledger.schemaVersion,
        generation: ledger.generation,
        entries: number,
        lastHash: hash,
        lastAtMillis: latestAtMillis,
        lastHead: newestHead(),
        issued,
        unfinished,
        sizeBytes: sizeOf(file) + sizeOf(`${file}-wal`),
      };
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
