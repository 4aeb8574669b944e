import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { headFileOf, readHeadFile } from "#ca/store/head-file";
import { openDatabase } from "#ca/store/sqlite/database";
import { openLedger } from "#ca/store/sqlite/ledger";
import { createOperations } from "#ca/store/sqlite/operations";
import { sourceOf } from "#ca/store/sqlite/restore";
import { type ChainReport, verifyChain } from "#ca/store/verify-chain";
import { CodedError, messageOf } from "#platform/coded-error";
import { UsageFault } from "../usage-fault.ts";
import { headVerifierOf } from "./head-verifier.ts";

const attempts = 5;

/**
 * Verifies the log of a store or a backup, best of one that no service uses, with the head file beside it if there is one. A copy in a folder for its owner alone is read: opening a database
 * may write to it. Fails with `UsageFault` for a file that is not there, and as the store does.
 */
export async function verifyStoreFile(file: string, nowMillis: number): Promise<ChainReport> {
  const path = resolve(file);
  const folder = await mkdtemp(join(tmpdir(), "garita-audit-"));
  try {
    const copy = join(folder, basename(path));
    // ORDER: the head before the log, which only grows: a service that writes meanwhile seals what the copy does not have.
    const head = await readHeadFile(headFileOf(path));
    await copyUnchanged(path, copy, file);
    const database = openDatabase({ file: copy, maxSizeBytes: undefined });
    try {
      const operations = createOperations(openLedger(database), copy);
      return await verifyChain({
        source: sourceOf(operations, copy, nowMillis),
        verifyHead: headVerifierOf(operations.authorities()),
        exportedHeads: head === undefined ? [] : [head],
        nowMillis,
      });
    } finally {
      database.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A copy of one moment, also of a database that a service writes: it has several attempts. Fails with `ca-store/locked` where each was written into. */
async function copyUnchanged(path: string, copy: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await markOf(path, name);
    await copyFile(path, copy);
    // What a service has not brought into the file yet. It grows at its end alone, where what is not whole counts for nothing, until all of it is in the file.
    await rm(`${copy}-wal`, { force: true });
    await copyFile(`${path}-wal`, `${copy}-wal`).catch(absent);
    if ((await markOf(path, name)) === before) return;
  }
  throw new CodedError(
    "ca-store/locked",
    `a service writes \`${name}\`: \`garita ca audit verify\` without it asks that service`,
  );
}

async function markOf(path: string, name: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (cause) {
    throw new UsageFault(`\`${name}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function absent(fault: NodeJS.ErrnoException): void {
  if (fault.code !== "ENOENT") throw fault;
}
