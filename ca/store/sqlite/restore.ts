import { chmodSync, constants, copyFileSync, existsSync, linkSync, lstatSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { AuditHead, AuthorityRecord } from "#ca/store/contract";
import { headFileOf, readHeadFile, writeHeadFile } from "#ca/store/head-file";
import { syncFile } from "#ca/store/sqlite/back-up";
import { checkPlace } from "#ca/store/sqlite/check-place";
import { openDatabase } from "#ca/store/sqlite/database";
import { openLedger } from "#ca/store/sqlite/ledger";
import { createOperations, type Operations } from "#ca/store/sqlite/operations";
import { claimReplaced, type ReplacedDatabase } from "#ca/store/sqlite/replaced-database";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { type ChainSource, verifyChain } from "#ca/store/verify-chain";
import { CodedError, messageOf } from "#platform/coded-error";

export interface RestoreOptions {
  readonly backupFile: string;
  /** The database that is to become what the backup is. */
  readonly file: string;
  readonly nowMillis: number;
  /** Tells good heads by the audit keys among these authorities, which are the backup's. */
  readonly headVerifier: (authorities: readonly AuthorityRecord[]) => (head: AuditHead) => boolean;
}

export interface Restored {
  /** Entries of the backup, without the one that tells of the restore. */
  readonly entries: number;
  readonly generation: number;
  /** Join tokens that were good in the backup and are ended now, for they may have been used since. */
  readonly endedTokens: number;
  /** Where the database that was there has gone; undefined: there was none. */
  readonly replaced: string | undefined;
}

/**
 * Puts a backup in the place of a database that no service uses. The backup's log is verified first and left as it is: a copy is worked on. The generation is raised above that of both; tokens
 * that were not redeemed are ended; an entry `restored` tells of it. What was there stays beside it as `.replaced-…`. At every instant one whole database stands in the place.
 *
 * Rejects with `ca-store/locked`, `chain-broken`, `damaged`, `newer`, `permissions`, `full` or `unavailable`; then the database is as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { nowMillis } = options;
  const [file, backupFile] = [resolve(options.file), resolve(options.backupFile)];
  const stamp = new Date(nowMillis).toISOString().replaceAll(/[:.]/g, "-");
  const fresh = `${file}.restoring-${stamp}`;
  const existed = existsSync(file);
  if (existed) checkPlace(file);
  copyBackup(backupFile, fresh);
  try {
    const replaced = existed ? claimReplaced(file) : undefined;
    try {
      const oldHead = await readHeadFile(headFileOf(file)).catch(() => undefined);
      const lowest = Math.max(replaced?.generation ?? 0, oldHead?.generation ?? 0);
      const { head, ...made } = await prepare(fresh, backupFile, options, lowest, oldHead);
      const aside = existed ? `${file}.replaced-${stamp}` : undefined;
      await putInPlace(file, fresh, head, aside, replaced);
      return { ...made, replaced: aside };
    } finally {
      replaced?.release();
    }
  } finally {
    for (const rest of [fresh, `${fresh}-wal`]) rmSync(rest, { force: true });
  }
}

function copyBackup(backupFile: string, fresh: string): void {
  try {
    if (!lstatSync(backupFile).isFile()) throw new Error("it is no plain file");
    copyFileSync(backupFile, fresh, constants.COPYFILE_EXCL);
    chmodSync(fresh, 0o600);
  } catch (cause) {
    throw new CodedError("ca-store/unavailable", `the backup \`${backupFile}\` cannot be copied: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Verifies the copy, raises its generation and ends its tokens. It is on the disk, in one file, when this resolves. */
async function prepare(
  fresh: string,
  backupFile: string,
  { headVerifier, nowMillis }: RestoreOptions,
  lowestGeneration: number,
  oldHead: AuditHead | undefined,
): Promise<Omit<Restored, "replaced"> & { readonly head: AuditHead | undefined }> {
  const database = openDatabase({ file: fresh, maxSizeBytes: undefined });
  try {
    const ledger = openLedger(database);
    const operations = createOperations(ledger, fresh);
    const verifyHead = headVerifier(operations.authorities());
    const report = await verifyChain({ source: sourceOf(operations, nowMillis), verifyHead, nowMillis });
    const [first] = report.faults;
    if (first !== undefined) {
      const rest = report.faults.length > 1 ? `, and ${report.faults.length - 1} faults more` : "";
      const where = first.entry === 0 ? "" : `entry ${first.entry}: `;
      throw new CodedError("ca-store/chain-broken", `the log of \`${backupFile}\`: ${where}${first.message}${rest}`);
    }
    const { number: entries, hash } = ledger.state;
    const generation = Math.max(ledger.generation, lowestGeneration) + 1;
    const endedTokens = ledger.transaction(() => {
      const ended = operations.endTokens(nowMillis);
      ledger.append("restored", nowMillis, {
        generation,
        endedTokens: ended,
        backupEntries: entries,
        backupHash: hash,
        replacedGeneration: lowestGeneration,
        replacedHeadNumber: oldHead?.number,
        replacedHeadHash: oldHead?.hash,
      });
      database.prepare("UPDATE settings SET value = ? WHERE name = 'generation'").run(generation);
      return ended;
    });
    const [head] = operations.auditHeads(1);
    return { entries, generation, endedTokens, head };
  } catch (fault) {
    throw codedFault(fault, backupFile);
  } finally {
    // Brings what the write-ahead log holds into the file, and removes it.
    database.close();
    syncFile(fresh);
  }
}

async function putInPlace(
  file: string,
  fresh: string,
  head: AuditHead | undefined,
  aside: string | undefined,
  replaced: ReplacedDatabase | undefined,
): Promise<void> {
  const headFile = headFileOf(file);
  if (aside !== undefined) {
    linkSync(file, aside);
    if (existsSync(headFile)) copyFileSync(headFile, headFileOf(aside), constants.COPYFILE_EXCL);
    // INVARIANT: the log of one database never lies beside another: it would be replayed into it.
    if (replaced === undefined && existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
  }
  // ORDER: the head first. It is the backup's own and older, so that a crash here leaves a database that it fits, or one that is refused: never one that nothing vouches for.
  if (head === undefined) rmSync(headFile, { force: true });
  else await writeHeadFile(headFile, head);
  renameSync(fresh, file);
  syncFile(dirname(file));
}

/** The operations of an open database as `verifyChain` asks for them. */
export function sourceOf(operations: Operations, nowMillis: number): ChainSource {
  return {
    status: async () => ({ ...operations.storeStatus(), fault: undefined }),
    issuance: async (serialHex) => operations.issuance(serialHex),
    issuances: async (query) => operations.issuances(query),
    joinTokens: async (limit) => operations.joinTokens(limit, nowMillis),
    revocations: async () => operations.revocations(),
    authorities: async () => operations.authorities(),
    auditEntries: async (from, limit) => operations.auditEntries(from, limit),
    auditHeads: async (limit) => operations.auditHeads(limit),
  };
}
