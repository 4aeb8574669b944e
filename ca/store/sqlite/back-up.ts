import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CodedError, messageOf } from "#platform/coded-error";

/** Pages copied at a time: others get their turn in between. */
const pagesAtATime = 500;
/** Transactions are short: at most one in a few looks meets one. */
const mostAttempts = 100;

/**
 * Copies an open database to a new file, mode 0600, while it is written: the copy is the database as it was at one moment before this resolves. Fails with `ca-store/exists`
 * where the file is there already, and with `ca-store/backup-failed`; then no file is left.
 */
export async function backUp(database: DatabaseSync, file: string): Promise<void> {
  createEmpty(file);
  try {
    await copyPages(database, file);
    syncFile(file);
    syncFile(dirname(file));
  } catch (cause) {
    rmSync(file, { force: true });
    throw failed(file, cause);
  }
}

/** Node takes it for a failure, without a reason, when the first look finds the database in a transaction (SQLITE_LOCKED): nothing was copied then. */
async function copyPages(database: DatabaseSync, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await backup(database, file, { rate: pagesAtATime });
      return;
    } catch (fault) {
      if (Reflect.get(Object(fault), "errcode") !== 0 || attempt === mostAttempts) throw fault;
      await nextTurn();
    }
  }
}

function createEmpty(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (cause) {
    if (Reflect.get(Object(cause), "code") !== "EEXIST") throw failed(file, cause);
    throw new CodedError("ca-store/exists", `\`${file}\` is there already: a backup replaces nothing`, { cause });
  }
}

function failed(file: string, cause: unknown): CodedError {
  return new CodedError("ca-store/backup-failed", `the backup \`${file}\` cannot be written: ${messageOf(cause)}`, {
    cause,
  });
}

/** A file, or the names of a folder. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
