import { closeSync, lstatSync, openSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { syncFile } from "#ca/store/sqlite/back-up";
import { CodedError, messageOf } from "#platform/coded-error";

/**
 * Nobody but us may read or replace the database: its file has mode 0600, and only its owner may write in its folder. A file that is missing is made so. Fails with
 * `ca-store/permissions` and `ca-store/unavailable`.
 */
export function checkPlace(file: string): void {
  const folder = dirname(file);
  const folderStats = statsOf(folder);
  if (folderStats === undefined || !folderStats.isDirectory()) {
    throw new CodedError(
      "ca-store/unavailable",
      `there is no folder \`${folder}\` for the database: \`mkdir -m 700\` makes it`,
    );
  }
  if ((folderStats.mode & 0o022) !== 0) {
    throw refused(folder, "may be written by others, who could replace the database", `chmod 700 ${folder}`);
  }
  for (const path of [file, `${file}-wal`, `${file}.head`]) {
    const stats = statsOf(path);
    if (stats === undefined) continue;
    if (!stats.isFile()) throw new CodedError("ca-store/unavailable", `\`${path}\` is no plain file`);
    if ((stats.mode & 0o077) !== 0) throw refused(path, "may be read or written by others", `chmod 600 ${path}`);
  }
  if (statsOf(file) === undefined) create(file);
}

/** INVARIANT: never opened where it exists: closing it would give back the lock of a store that this program has open (POSIX locks are the program's). */
function create(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
    syncFile(dirname(file));
  } catch (cause) {
    throw new CodedError("ca-store/unavailable", `\`${file}\` cannot be made: ${messageOf(cause)}`, { cause });
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new CodedError("ca-store/unavailable", `\`${path}\` cannot be looked at: ${messageOf(cause)}`, { cause });
  }
}

function refused(path: string, why: string, remedy: string): CodedError {
  return new CodedError("ca-store/permissions", `\`${path}\` ${why}: \`${remedy}\``);
}
