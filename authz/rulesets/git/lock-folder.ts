import { chmod, writeFile } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Timers } from "#platform/timers";

export interface LockParts {
  /** Made where it is missing; it stays empty. */
  readonly file: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long to wait for another holder. */
  readonly patienceMillis: number;
}

const retryMillis = 50;

/**
 * Holds a lock among all programs of the machine; the result gives it back. The system takes it from a program that dies, so that nothing has to be
 * cleaned up: SQLite's locks are those of the kernel, which Node offers in no other way. Fails with `git/locked`, or `git/mirror` where
 * the file cannot be used.
 */
export async function lockFolder({ file, clock, timers, patienceMillis }: LockParts): Promise<() => void> {
  // PERF: most services have no policies in Git.
  const sqlite = await import("node:sqlite");
  await keepPrivate(file);
  const begun = clock.monotonicMillis();
  for (;;) {
    const release = tryLock(sqlite, file);
    if (release !== undefined) return release;
    if (clock.monotonicMillis() - begun >= patienceMillis) {
      const message = `another service held \`${file}\` for more than ${patienceMillis / 1000} s`;
      throw new CodedError("git/locked", message);
    }
    await new Promise<void>((resolve) => timers.after(retryMillis, resolve));
  }
}

/** Whoever may read a file may hold a lock on it. It is not opened where it exists: closing it would give back what another source of this program holds. */
async function keepPrivate(file: string): Promise<void> {
  await writeFile(file, "", { flag: "wx", mode: 0o600 }).catch(() => chmod(file, 0o600).catch(() => undefined));
}

function tryLock(sqlite: typeof import("node:sqlite"), file: string): (() => void) | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new sqlite.DatabaseSync(file);
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    const held = database;
    return () => held.close();
  } catch (cause) {
    database?.close();
    if (/\b(?:locked|busy)\b/i.test(messageOf(cause))) return undefined;
    throw new CodedError("git/mirror", `the lock \`${file}\` cannot be used: ${messageOf(cause)}`, { cause });
  }
}
