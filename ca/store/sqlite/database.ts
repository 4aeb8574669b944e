import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { migrations } from "#ca/store/sqlite/migrations";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { CodedError } from "#platform/coded-error";

/** "GARI": tells our databases from others'. */
const applicationId = 0x47415249;

/** The size of a page, SQLite's own default. */
const pageSizeBytes = 4096;

export interface DatabasePlace {
  readonly file: string;
  /** Writes that would make the file larger fail as on a full disk; undefined: as large as the disk lets it be. */
  readonly maxSizeBytes: number | undefined;
}

/**
 * Opens the database, new or old, for this connection alone, and brings its schema up to the newest. A transaction is on the disk when its commit returns: write-ahead log,
 * `synchronous=FULL`. Fails with `ca-store/locked`, `newer`, `damaged`, `full` or `unavailable`.
 */
export function openDatabase(place: DatabasePlace): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    const crashed = (statSync(`${place.file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
    database = new DatabaseSync(place.file, {
      timeout: 0,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
    });
    configure(database, place);
    if (crashed) checkPages(database, place.file);
    migrate(database, place.file);
    return database;
  } catch (fault) {
    database?.close();
    throw codedFault(fault, place.file);
  }
}

/** Steps taken. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(pragma(database, "user_version"));
}

function configure(database: DatabaseSync, { maxSizeBytes }: DatabasePlace): void {
  // ORDER: the lock's mode before the first look at the file: with it no memory is shared with other programs, and none gets in until we close.
  database.exec("PRAGMA locking_mode=EXCLUSIVE");
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA synchronous=FULL");
  database.exec("PRAGMA trusted_schema=OFF");
  database.exec("PRAGMA cell_size_check=ON");
  database.exec("PRAGMA temp_store=MEMORY");
  database.exec("PRAGMA cache_size=-65536");
  database.exec("PRAGMA journal_size_limit=67108864");
  if (maxSizeBytes !== undefined) {
    database.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(maxSizeBytes / pageSizeBytes))}`);
  }
  database.exec("BEGIN IMMEDIATE; COMMIT");
}

/**
 * What a write-ahead log holds is replayed whatever database it lies beside: where another was put in place after a crash, the two make one that is neither. Takes as long as reading the
 * file.
 */
function checkPages(database: DatabaseSync, file: string): void {
  const found = pragma(database, "quick_check(1)");
  if (found === "ok") return;
  throw new CodedError("ca-store/damaged", `\`${file}\` is damaged: ${found}`);
}

function migrate(database: DatabaseSync, file: string): void {
  const isNew = Number(pragma(database, "page_count")) === 0 || !hasTables(database);
  if (!isNew && Number(pragma(database, "application_id")) !== applicationId) {
    throw new CodedError("ca-store/damaged", `\`${file}\` is a database of another program`);
  }
  const version = schemaVersion(database);
  if (version > migrations.length) {
    const known = `schema ${version}, and this version knows up to ${migrations.length}`;
    throw new CodedError("ca-store/newer", `\`${file}\` was written by a newer version (${known}): run that one`);
  }
  migrations.slice(version).forEach(({ sql }, i) => {
    const step = version + i + 1;
    database.exec(
      `BEGIN IMMEDIATE; ${sql}; PRAGMA application_id=${applicationId}; PRAGMA user_version=${step}; COMMIT`,
    );
  });
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
