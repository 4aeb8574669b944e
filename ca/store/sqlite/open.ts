import { resolve } from "node:path";
import type { CaStore, StoreStatus } from "#ca/store/contract";
import { headFileOf, readHeadFile } from "#ca/store/head-file";
import { type Batches, startBatches } from "#ca/store/sqlite/batches";
import { checkPlace } from "#ca/store/sqlite/check-place";
import { createExplanations, type Explanations } from "#ca/store/sqlite/explanations";
import type { Call, OperationName, Operations } from "#ca/store/sqlite/operations";
import type { Log } from "#platform/log";
import { systemTimers, type Timers } from "#platform/timers";

export interface SqliteStoreOptions {
  /** Made where it is missing. Its folder must be there, and only its owner may write in it. */
  readonly file: string;
  readonly nowMillis: () => number;
  readonly log: Log;
  readonly timers?: Timers;
  /** Of the database file; what would make it larger fails as on a full disk. Undefined: as the disk lets it. */
  readonly maxSizeBytes?: number;
}

/** More than can be under way at once are there only after a long failure: the log then names these, the inventory all. */
const mostNamed = 100;

/** The embedded store. */
export interface SqliteStore extends CaStore {
  /** Issuances that an earlier run had begun and not completed: marked as abandoned by the opening. */
  readonly abandonedAtOpening: number;
  readonly counters: {
    readonly transactions: () => number;
    /** Explanations that were not kept, for there were too many or one was too large. */
    readonly explanationsDropped: () => number;
  };
}

/**
 * Opens the embedded store: a SQLite database in a thread of its own, which no other program can open meanwhile. Calls of one turn of the event loop, and those that come while the
 * disk writes, share one transaction and one write to the disk. Where the thread dies its calls reject, and it is started again.
 *
 * Rejects with `ca-store/locked` (another service has it), `permissions`, `newer`, `damaged`, `rolled-back` (the log is not the one that its head vouches for), `full` or `unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { nowMillis, log, timers = systemTimers, maxSizeBytes } = options;
  const file = resolve(options.file);
  checkPlace(file);
  const known = await readHeadFile(headFileOf(file));
  const start = () => ({ file, maxSizeBytes, known, nowMillis: nowMillis(), again: false });
  const { batches, abandoned } = await startBatches({ start, timers, log });
  if (abandoned.length > 0) {
    const serials = abandoned.slice(0, mostNamed);
    log.warn(
      { abandoned: abandoned.length, serials },
      "issuances that an earlier run had begun are marked as abandoned",
    );
  }
  const explanations = createExplanations(batches, timers);
  const first = (await batches.submit(["storeStatus", []])) as Omit<StoreStatus, "fault">;
  if (known === undefined && first.lastHead !== undefined) {
    const lacking = headFileOf(file);
    log.warn({ file: lacking }, "the file of the newest head is gone: whether the store is the newest cannot be told");
  }
  return {
    ...storeOver(batches, explanations, nowMillis, first),
    abandonedAtOpening: abandoned.length,
    counters: { transactions: () => batches.transactions, explanationsDropped: () => explanations.dropped },
  };
}

function storeOver(
  batches: Batches,
  explanations: Explanations,
  nowMillis: () => number,
  first: Omit<StoreStatus, "fault">,
): CaStore {
  const ask = <Name extends OperationName>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<ReturnType<Operations[Name]>> =>
    batches.submit([name, args] as unknown as Call) as Promise<ReturnType<Operations[Name]>>;
  let lastStatus = first;
  return {
    recordIntent: (intent, redeem) => ask("recordIntent", intent, redeem),
    recordCompletion: (completion) =>
      ask("recordCompletion", { ...completion, certificateDer: ownBytes(completion.certificateDer) }),
    recordAbandoned: (serialHex, atMillis, reason) => ask("recordAbandoned", serialHex, atMillis, reason),
    recordEvent: (event) => ask("recordEvent", event),
    issuance: (serialHex) => ask("issuance", serialHex),
    issuances: (query) => ask("issuances", query),
    certificatesInUse: (query) => ask("certificatesInUse", query),
    addJoinToken: (token) => ask("addJoinToken", token),
    joinToken: (hash) => ask("joinToken", hash),
    joinTokens: (limit) => ask("joinTokens", limit, nowMillis()),
    revoke: (revocation) => ask("revoke", revocation),
    revocations: () => ask("revocations"),
    addAuthority: (authority) => ask("addAuthority", authority),
    setAuthorityStates: (states, atMillis) => ask("setAuthorityStates", states, atMillis),
    authorities: () => ask("authorities"),
    addRootWaiver: (waiver) => ask("addRootWaiver", waiver),
    rootWaivers: () => ask("rootWaivers"),
    keepExplanation: (explanation) => explanations.keep(explanation),
    async explanation(id) {
      return explanations.waiting(id) ?? ask("explanation", id);
    },
    auditEntries: (from, limit) => ask("auditEntries", from, limit),
    auditHeads: (limit) => ask("auditHeads", limit),
    addAuditHead: (head) => ask("addAuditHead", head),
    async status() {
      // The status of a store that is down tells so: it is what an operator asks for first.
      if (batches.isUp) lastStatus = await ask("storeStatus").catch(() => lastStatus);
      return { ...lastStatus, fault: batches.fault };
    },
    fault: () => batches.fault,
    backup: (file) => batches.backup(resolve(file)),
    async close() {
      if (batches.isUp) explanations.flush();
      await batches.close();
    },
  };
}

/** Bytes that lie in a larger buffer would take all of it along to the thread. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
