import { chmodSync, constants, copyFileSync, existsSync, linkSync, lstatSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { AuditHead, AuthorityRecord, Revocation } from "#ca/store/contract";
import { targetText } from "#ca/store/entry-bodies";
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
  /** Revocations that the backup lacked and the database had that was there: nothing is ever un-revoked. */
  readonly keptRevocations: number;
  /** Where the database that was there has gone; undefined: there was none. */
  readonly replaced: string | undefined;
}

/**
 * Puts a backup in the place of a database that no service uses. The backup's log is verified first and left as it is: a copy is worked on. The generation is raised above that of both; tokens
 * that were not redeemed are ended; an entry `restored` tells of it; what was revoked in the database that is replaced stays so, if that can be read. What was there stays beside it as `.replaced-…`. At every instant one whole database stands in the place.
 *
 * Rejects with `ca-store/locked`, `chain-broken`, `damaged`, `newer`, `permissions`, `full` or `unavailable`; then the database is as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { nowMillis } = options;
  const [file, backupFile] = [resolve(options.file), resolve(options.backupFile)];
  const stamp = new Date(nowMillis).toISOString().replaceAll(/[:.]/g, "-");
  const fresh = `${file}.restoring-${stamp}`;
  const aside = existsSync(file) ? `${file}.replaced-${stamp}` : undefined;
  if (aside !== undefined) checkPlace(file);
  copyBackup(backupFile, fresh);
  try {
    // ORDER: nothing that is there is touched before the backup is known to be good.
    const copy = openDatabase({ file: fresh, maxSizeBytes: undefined });
    let replaced: ReplacedDatabase | undefined;
    try {
      await verifyCopy(copy, backupFile, options);
      replaced = aside === undefined ? undefined : claimReplaced(file, aside);
      const oldHead = await readHeadFile(headFileOf(file)).catch(() => undefined);
      const lowest = Math.max(replaced?.generation ?? 0, oldHead?.generation ?? 0);
      const { head, ...made } = raiseGeneration(copy, fresh, nowMillis, lowest, oldHead, replaced);
      // Brings what the write-ahead log holds into the file, and removes it.
      copy.close();
      syncFile(fresh);
      await putInPlace(file, fresh, head, aside);
      return { ...made, replaced: aside };
    } catch (fault) {
      throw codedFault(fault, fresh);
    } finally {
      if (copy.isOpen) copy.close();
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

async function verifyCopy(
  copy: DatabaseSync,
  backupFile: string,
  { headVerifier, nowMillis }: RestoreOptions,
): Promise<void> {
  const operations = createOperations(openLedger(copy), backupFile);
  const verifyHead = headVerifier(operations.authorities());
  const { faults } = await verifyChain({ source: sourceOf(operations, backupFile, nowMillis), verifyHead, nowMillis });
  const [first] = faults;
  if (first === undefined) return;
  const rest = faults.length > 1 ? `, and ${faults.length - 1} faults more` : "";
  const where = first.entry === 0 ? "" : `entry ${first.entry}: `;
  throw new CodedError("ca-store/chain-broken", `the log of \`${backupFile}\`: ${where}${first.message}${rest}`);
}

/** One transaction: the generation, the end of the tokens, the entry that tells of both, and revocations to be kept. Answers the newest head too. */
function raiseGeneration(
  copy: DatabaseSync,
  fresh: string,
  nowMillis: number,
  lowestGeneration: number,
  oldHead: AuditHead | undefined,
  replaced: Pick<ReplacedDatabase, "revocations" | "fingerprints"> | undefined,
): Omit<Restored, "replaced"> & { readonly head: AuditHead | undefined } {
  const ledger = openLedger(copy);
  const operations = createOperations(ledger, fresh);
  const { number: entries, hash } = ledger.state;
  const generation = Math.max(ledger.generation, lowestGeneration) + 1;
  const known = new Set(operations.revocations().map(({ target }) => targetText(target)));
  const kept = (replaced?.revocations ?? [])
    .flatMap((revocation) => withFingerprint(revocation, operations, replaced?.fingerprints))
    .filter(({ target }) => !known.has(targetText(target)));
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
      keptRevocations: kept.length,
    });
    for (const revocation of kept) operations.revoke(revocation);
    copy.prepare("UPDATE settings SET value = ? WHERE name = 'generation'").run(generation);
    return ended;
  });
  const [head] = operations.auditHeads(1);
  return { entries, generation, endedTokens, keptRevocations: kept.length, head };
}

/** A serial of a certificate that the backup does not have could not stand on the deny list any more: its fingerprint can. */
function withFingerprint(
  revocation: Revocation,
  operations: Operations,
  fingerprints: ReadonlyMap<string, string> | undefined,
): readonly Revocation[] {
  const { target } = revocation;
  if (target.kind !== "serial" || operations.issuance(target.serialHex) !== undefined) return [revocation];
  const fingerprint = fingerprints?.get(target.serialHex);
  if (fingerprint === undefined) return [revocation];
  return [revocation, { ...revocation, target: { kind: "fingerprint", fingerprint } }];
}

async function putInPlace(
  file: string,
  fresh: string,
  head: AuditHead | undefined,
  aside: string | undefined,
): Promise<void> {
  const headFile = headFileOf(file);
  if (aside !== undefined) {
    linkSync(file, aside);
    if (existsSync(headFile)) copyFileSync(headFile, headFileOf(aside), constants.COPYFILE_EXCL);
  }
  // INVARIANT: the write-ahead log of one database never lies beside another: it would be replayed into it.
  rmSync(`${file}-wal`, { force: true });
  // ORDER: the head first. It is the backup's own and older, so that a crash here leaves a database that it fits, or one that is refused: never one that nothing vouches for.
  if (head === undefined) rmSync(headFile, { force: true });
  else await writeHeadFile(headFile, head);
  renameSync(fresh, file);
  syncFile(dirname(file));
}

/** The operations of an open database as `verifyChain` asks for them. */
export function sourceOf(operations: Operations, file: string, nowMillis: number): ChainSource {
  const ask = async <T>(question: () => T): Promise<T> => {
    try {
      return question();
    } catch (fault) {
      throw codedFault(fault, file);
    }
  };
  return {
    status: () => ask(() => ({ ...operations.storeStatus(), fault: undefined })),
    issuance: (serialHex) => ask(() => operations.issuance(serialHex)),
    issuances: (query) => ask(() => operations.issuances(query)),
    joinTokens: (limit) => ask(() => operations.joinTokens(limit, nowMillis)),
    revocations: () => ask(() => operations.revocations()),
    authorities: () => ask(() => operations.authorities()),
    rootWaivers: () => ask(() => operations.rootWaivers()),
    auditEntries: (from, limit) => ask(() => operations.auditEntries(from, limit)),
    auditHeads: (limit) => ask(() => operations.auditHeads(limit)),
  };
}
