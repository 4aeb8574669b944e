import type { DatabaseSync } from "node:sqlite";
import { canonicalEntry, type EntryBody, hashEntry, noPrevious } from "#ca/store/chain";
import type { AuditKind } from "#ca/store/contract";
import { schemaVersion } from "#ca/store/sqlite/database";
import { CodedError } from "#platform/coded-error";

/** Where the log ends, and what is counted. */
export interface LedgerState {
  readonly number: number;
  readonly hash: string;
  /** The latest time of the newest thousand entries: an opening by a clock that is behind does not hide what was before. */
  readonly latestAtMillis: number;
  readonly issued: number;
  readonly unfinished: number;
}

/** The audit log of one open database, and its transactions. */
export interface Ledger {
  readonly database: DatabaseSync;
  readonly schemaVersion: number;
  readonly generation: number;
  readonly state: LedgerState;
  /** Appends an entry in the open transaction. Answers its number. */
  append(kind: AuditKind, atMillis: number, body: EntryBody): number;
  /** Notes that so many issuances more are in these states. */
  count(change: { readonly issued: number; readonly unfinished: number }): void;
  /** Runs `work` as one transaction. Whatever it throws undoes all of it, what is counted included. */
  transaction<T>(work: () => T): T;
}

/** The last entry, as another opening must find it. */
export function lastEntry({ state, generation }: Ledger): { number: number; hash: string; generation: number } {
  return { number: state.number, hash: state.hash, generation };
}

/** Where the log of a database ends is read once; from then on nobody else writes. */
export function openLedger(database: DatabaseSync): Ledger {
  let state = readState(database);
  const begin = database.prepare("BEGIN");
  const commit = database.prepare("COMMIT");
  const insert = database.prepare(
    "INSERT INTO audit_entries (number, at_millis, kind, hash, canonical) VALUES (?, ?, ?, ?, ?)",
  );
  const generation = Number(database.prepare("SELECT value FROM settings WHERE name = 'generation'").get()?.["value"]);
  // The store wrote numbers: what others did to the bytes of the file need not be any.
  if (![generation, state.number, state.latestAtMillis].every(Number.isSafeInteger))
    throw new CodedError("ca-store/damaged", "where the log ends cannot be read");
  return {
    database,
    schemaVersion: schemaVersion(database),
    generation,
    get state() {
      return state;
    },
    append(kind, atMillis, body) {
      const number = state.number + 1;
      const canonical = canonicalEntry({ number, atMillis, kind, body, previous: state.hash });
      const hash = hashEntry(canonical);
      insert.run(number, atMillis, kind, hash, canonical);
      state = { ...state, number, hash, latestAtMillis: Math.max(state.latestAtMillis, atMillis) };
      return number;
    },
    count({ issued, unfinished }) {
      state = { ...state, issued: state.issued + issued, unfinished: state.unfinished + unfinished };
    },
    transaction(work) {
      const before = state;
      begin.run();
      try {
        const result = work();
        commit.run();
        return result;
      } catch (fault) {
        state = before;
        // SQLite has rolled back by itself where the disk was full or failed.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw fault;
      }
    },
  };
}

function readState(database: DatabaseSync): LedgerState {
  const newest = database.prepare("SELECT number, hash FROM audit_entries ORDER BY number DESC LIMIT 1").get();
  const latest = database
    .prepare("SELECT max(at_millis) AS at FROM (SELECT at_millis FROM audit_entries ORDER BY number DESC LIMIT 1000)")
    .get();
  const counts = new Map<unknown, number>();
  for (const row of database.prepare("SELECT state, count(*) AS rows FROM issuances GROUP BY state").iterate()) {
    counts.set(row["state"], Number(row["rows"]));
  }
  return {
    number: Number(newest?.["number"] ?? 0),
    hash: String(newest?.["hash"] ?? noPrevious),
    latestAtMillis: Number(latest?.["at"] ?? 0),
    issued: counts.get(1) ?? 0,
    unfinished: counts.get(0) ?? 0,
  };
}
