import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { headFileOf, readHeadFile } from "#ca/store/head-file";
import { openDatabase } from "#ca/store/sqlite/database";
import { openLedger } from "#ca/store/sqlite/ledger";
import { createOperations } from "#ca/store/sqlite/operations";
import { sourceOf } from "#ca/store/sqlite/restore";
import { type ChainReport, verifyChain } from "#ca/store/verify-chain";
import { messageOf } from "#platform/coded-error";
import { UsageFault } from "../usage-fault.ts";
import { headVerifierOf } from "./head-verifier.ts";

/**
 * Verifies the log of a store or a backup that no service uses, with the head file beside it if there is one. A copy in a folder for its owner alone is read: opening a database
 * may write to it. Fails with `UsageFault` for a file that is not there, and as the store does.
 */
export async function verifyStoreFile(file: string, nowMillis: number): Promise<ChainReport> {
  const path = resolve(file);
  const folder = await mkdtemp(join(tmpdir(), "garita-audit-"));
  try {
    const copy = join(folder, basename(path));
    await copyFile(path, copy).catch((cause: unknown) => {
      throw new UsageFault(`\`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
    });
    // What a service that was killed had not brought into the file yet.
    await copyFile(`${path}-wal`, `${copy}-wal`).catch(absent);
    const head = await readHeadFile(headFileOf(path));
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

function absent(fault: NodeJS.ErrnoException): void {
  if (fault.code !== "ENOENT") throw fault;
}
