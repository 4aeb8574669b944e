import { constants, copyFileSync, existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Revocation } from "#ca/store/contract";
import { revocationOf } from "#ca/store/sqlite/rows";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { CodedError } from "#platform/coded-error";

/** A database that is about to be replaced: nobody else can open it until it is released. */
export interface ReplacedDatabase {
  readonly generation: number;
  readonly revocations: readonly Revocation[];
  /** SHA-256 of the certificates that are revoked by their serial. */
  readonly fingerprints: ReadonlyMap<string, string>;
  release(): void;
}

/**
 * Takes the database for ourselves, with all that its write-ahead log holds brought into its one file. Answers undefined for one that is damaged: nobody can have that open, and its
 * write-ahead log is kept under the name `aside` with `-wal`. Throws `ca-store/locked` where a service uses it.
 */
export function claimReplaced(file: string, aside: string): ReplacedDatabase | undefined {
  let database: DatabaseSync | undefined;
  // SQLite throws away the log of what it cannot read.
  const log = `${aside}-wal`;
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, log, constants.COPYFILE_EXCL);
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("PRAGMA locking_mode=EXCLUSIVE");
    database.exec("PRAGMA journal_mode=DELETE");
    database.exec("BEGIN EXCLUSIVE");
    const claimed = database;
    rmSync(log, { force: true });
    return { ...contentOf(database), release: () => claimed.close() };
  } catch (thrown) {
    database?.close();
    const fault = codedFault(thrown, file);
    if (fault instanceof CodedError && fault.code === "ca-store/damaged") return undefined;
    rmSync(log, { force: true });
    throw fault;
  }
}

function contentOf(database: DatabaseSync): Omit<ReplacedDatabase, "release"> {
  const isOurs = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'settings'").get() !== undefined;
  if (!isOurs) return { generation: 0, revocations: [], fingerprints: new Map() };
  const row = database.prepare("SELECT value FROM settings WHERE name = 'generation'").get();
  const revocations = database.prepare("SELECT * FROM revocations ORDER BY number").all().map(revocationOf);
  const certificates = database.prepare(
    "SELECT i.serial, c.fingerprint FROM revocations r JOIN issuances i ON i.serial = r.value JOIN certificates c ON c.number = i.number WHERE r.target = 'serial'",
  );
  const fingerprints = new Map(
    certificates.all().map(({ serial, fingerprint }) => [String(serial), String(fingerprint)]),
  );
  return { generation: Number(row?.["value"] ?? 0), revocations, fingerprints };
}
