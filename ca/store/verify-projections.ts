import { canonicalJson, type EntryBody } from "#ca/store/chain";
import type { AuditEntry, CaStore, IssuanceRecord, StoreStatus } from "#ca/store/contract";
import { intentBody, sha256 } from "#ca/store/entry-bodies";
import { authorityTable, createTable, revocationTable, rootWaiverTable, tokenTable } from "#ca/store/verify-tables";
import { CodedError } from "#platform/coded-error";

export type ProjectionSource = Pick<
  CaStore,
  "status" | "issuance" | "issuances" | "joinTokens" | "revocations" | "authorities" | "rootWaivers"
>;

/** Takes a fault with the number of its entry; 0 where it is none of one entry. */
export type Tell = (entry: number, message: string) => void;

/** Compares the store's tables with the log, entry by entry. */
export interface ProjectionCheck extends TableCheck {
  /** The last entry that the tables must have; after it only the ends of what is open are looked for. */
  readonly lastEntry: number;
}

/** One table's part of it. */
export interface TableCheck {
  /** Entries in their order, each with what it tells; undefined: that is not known. */
  follow(entries: readonly (readonly [AuditEntry, EntryBody | undefined])[]): Promise<void>;
  /** After the last entry. */
  finish(): Promise<void>;
}

/** More join tokens than are made in their 30 days. */
const mostTokens = 1_000_000;

/**
 * ORDER: the tables are read first and the log after them to its end, so that all that a table says must be in the log; and what the log says up to the entry that was the last before the tables were
 * read must be in the tables.
 */
export async function createProjectionCheck(
  source: ProjectionSource,
  nowMillis: number,
  report: Tell,
): Promise<ProjectionCheck> {
  const status = await source.status();
  const read = async <T>(rows: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await rows;
    } catch (fault) {
      reportDamage(fault, 0, report);
      return [];
    }
  };
  const checks = [
    await createIssuanceCheck(source, status, report),
    createTable(status, report, tokenTable(await read(source.joinTokens(mostTokens)), nowMillis)),
    createTable(status, report, revocationTable(await read(source.revocations()))),
    createTable(status, report, authorityTable(await read(source.authorities()))),
    createTable(status, report, rootWaiverTable(await read(source.rootWaivers()))),
  ];
  return {
    lastEntry: status.entries,
    async follow(entries) {
      for (const check of checks) await check.follow(entries);
    },
    async finish() {
      for (const check of checks) await check.finish();
    },
  };
}

/** Issuances: too many to hold, so that each is asked for when the log tells of it, and the whole is counted. */
async function createIssuanceCheck(source: ProjectionSource, status: StoreStatus, report: Tell): Promise<TableCheck> {
  const abandonedRows = await abandonedSerials(source, report);
  /** Intents whose end the log has not told yet, by serial; the value: what the table says already. */
  const open = new Map<string, { readonly entry: number; readonly record: IssuanceRecord | undefined }>();
  const abandoned = new Set<string>();
  /** As the log tells up to the last entry of the status: what comes later only ends what is open. */
  const counted = { issued: 0, unfinished: 0 };
  const ask = async (entry: AuditEntry, body: EntryBody) => {
    try {
      return await source.issuance(String(body["serialHex"]));
    } catch (fault) {
      reportDamage(fault, entry.number, report);
      return undefined;
    }
  };
  const reportCertificate = (entry: number, record: IssuanceRecord | undefined) => {
    if (record?.fingerprint === undefined) return;
    report(entry, `the issuance \`${record.serialHex}\` has a certificate, and was not completed`);
  };
  const step = (entry: AuditEntry, body: EntryBody, record: IssuanceRecord | undefined) => {
    const { number, kind } = entry;
    const serialHex = String(body["serialHex"]);
    if (kind === "issuance-intended") {
      open.set(serialHex, { entry: number, record });
      counted.unfinished++;
      if (record === undefined) report(number, `the issuance \`${serialHex}\` is not in its table`);
      else if (record.atMillis !== entry.atMillis || canonicalJson(intentBody(record)) !== canonicalJson(body)) {
        report(number, `the table tells otherwise of the issuance \`${serialHex}\``);
      }
      return;
    }
    if (!open.delete(serialHex)) report(number, `the issuance \`${serialHex}\` is ended, and was not under way`);
    counted.unfinished--;
    if (kind === "issuance-abandoned") {
      abandoned.add(serialHex);
      if (record?.state !== "abandoned") report(number, `the table does not have \`${serialHex}\` as abandoned`);
      reportCertificate(number, record);
      return;
    }
    counted.issued++;
    const der = record?.certificateDer;
    if (record?.state !== "issued") report(number, `the table does not have \`${serialHex}\` as issued`);
    else if (record.fingerprint !== body["fingerprint"] || der === undefined || sha256(der) !== record.fingerprint) {
      report(number, `the certificate of \`${serialHex}\` is another than was issued`);
    }
  };
  return {
    async follow(entries) {
      const told: { entry: AuditEntry; body: EntryBody; record: Promise<IssuanceRecord | undefined> }[] = [];
      for (const [entry, body] of entries) {
        if (body === undefined || !issuanceKinds.has(entry.kind)) continue;
        if (entry.number <= status.entries) told.push({ entry, body, record: ask(entry, body) });
        else {
          open.delete(String(body["serialHex"]));
          if (entry.kind === "issuance-abandoned") abandoned.add(String(body["serialHex"]));
        }
      }
      for (const { entry, body, record } of told) step(entry, body, await record);
    },
    async finish() {
      for (const [serialHex, { entry, record }] of open) {
        const state = record?.state ?? "intended";
        if (state !== "intended") report(entry, `the table has \`${serialHex}\` as ${state}, and the log does not`);
        else reportCertificate(entry, record);
      }
      for (const serialHex of abandonedRows) {
        if (!abandoned.has(serialHex)) report(0, `the table has \`${serialHex}\` as abandoned, and the log does not`);
      }
      const { issued, unfinished } = status;
      if (counted.issued !== issued)
        report(0, `the log tells of ${counted.issued} certificates, the table of ${issued}`);
      if (counted.unfinished !== unfinished) {
        report(0, `the log tells of ${counted.unfinished} open issuances, the table of ${unfinished}`);
      }
    },
  };
}

const issuanceKinds: ReadonlySet<string> = new Set(["issuance-intended", "issuance-completed", "issuance-abandoned"]);

async function abandonedSerials(source: ProjectionSource, report: Tell): Promise<readonly string[]> {
  const serials: string[] = [];
  try {
    for (;;) {
      const last = serials.at(-1);
      const after = last === undefined ? {} : { after: last };
      const page = await source.issuances({ ...after, state: "abandoned", limit: 500 });
      if (page.length === 0) return serials;
      serials.push(...page.map(({ serialHex }) => serialHex));
    }
  } catch (fault) {
    reportDamage(fault, 0, report);
    return serials;
  }
}

/** Where the database holds something else than the store writes, that is a fault of the log's; whatever else failed is none. */
function reportDamage(fault: unknown, entry: number, report: Tell): void {
  if (!(fault instanceof CodedError) || fault.code !== "ca-store/damaged") throw fault;
  report(entry, fault.message);
}
