import { bodyOfEntry, type EntryBody, hashEntry, noPrevious } from "#ca/store/chain";
import type { AuditEntry, AuditHead, CaStore } from "#ca/store/contract";
import { createProjectionCheck, type ProjectionSource } from "#ca/store/verify-projections";
import { CodedError } from "#platform/coded-error";

/** Entries of one question. */
const pageSize = 500;
/** Beyond so many faults no more are told: the log is not worth more. */
const mostFaults = 100;
const mostHeads = 100_000;

export type ChainSource = ProjectionSource & Pick<CaStore, "auditEntries" | "auditHeads">;

export interface ChainQuestion {
  readonly source: ChainSource;
  /** Does the signature of the head fit `headBytes(head)` and an audit key of the authority? */
  readonly verifyHead: (head: AuditHead) => boolean;
  /** Heads that were kept elsewhere: the file beside the database, the log of the service. */
  readonly exportedHeads?: readonly AuditHead[];
  readonly nowMillis: number;
}

export interface ChainFault {
  /** Number of the entry; 0 where it is none of one entry. */
  readonly entry: number;
  readonly message: string;
}

export interface ChainReport {
  readonly ok: boolean;
  readonly entries: number;
  readonly heads: number;
  /** The last entry that a head with a good signature vouches for. What comes after it could have been cut off without a trace, as far as no table tells. */
  readonly sealedUpTo: number;
  readonly faults: readonly ChainFault[];
}

/**
 * Reads the whole audit log and finds what was edited, removed, reordered, put in or cut off: each entry must be the canonical text that its hash says and follow the one before; each head
 * must be signed and vouch for the entry that is there; and what the store's tables answer must be what the log tells, all of it and nothing else.
 *
 * May run beside a store that is written: what is newer than its beginning is not held against the tables, and it ends however much is written. Streams: needs memory for the tokens, revocations, authorities and open
 * issuances, not for the log. Rejects where the store cannot be read.
 */
export async function verifyChain(question: ChainQuestion): Promise<ChainReport> {
  const { source, verifyHead } = question;
  const faults: ChainFault[] = [];
  const report = (entry: number, message: string) => {
    if (faults.length < mostFaults) faults.push({ entry, message });
  };
  const projections = await createProjectionCheck(source, question.nowMillis, report);
  const heads = [...(await source.auditHeads(mostHeads)), ...(question.exportedHeads ?? [])];
  const atNumber = Map.groupBy(heads, ({ number }) => number);
  const chain = new ChainWalk(report);
  let sealedUpTo = 0;
  const readUpTo = async (last: number) => {
    while (chain.next <= last) {
      const page = await readPage(source, chain.next, Math.min(pageSize, last - chain.next + 1), report);
      if (page.length === 0) {
        report(chain.next, `the log ends before entry ${chain.next}, and is said to have ${last}`);
        return;
      }
      const read: [AuditEntry, EntryBody | undefined][] = [];
      for (const entry of page) {
        read.push([entry, chain.step(entry)]);
        for (const head of atNumber.get(entry.number) ?? []) {
          if (checkHead(head, entry, chain.generation, verifyHead, report)) sealedUpTo = entry.number;
        }
        atNumber.delete(entry.number);
      }
      await projections.follow(read);
    }
  };
  await readUpTo(projections.lastEntry);
  // What was written while the tables were asked is read too, and no more: the log may grow faster than it is read.
  const status = await source.status();
  await readUpTo(status.entries);
  if (status.generation !== chain.generation)
    report(0, `the log is of generation ${chain.generation}, and the database says ${status.generation}`);
  for (const [number] of atNumber) {
    report(number, `a head vouches for entry ${number}, which is not there: the log was cut off`);
  }
  await projections.finish();
  const found = faults.toSorted((a, b) => a.entry - b.entry);
  return { ok: faults.length === 0, entries: chain.entries, heads: heads.length, sealedUpTo, faults: found };
}

type Tell = (entry: number, message: string) => void;

/** A page that cannot be read is a fault of the log where the database holds something else than the store writes. */
async function readPage(
  source: ChainSource,
  from: number,
  limit: number,
  report: Tell,
): Promise<readonly AuditEntry[]> {
  try {
    return await source.auditEntries(from, limit);
  } catch (fault) {
    if (!(fault instanceof CodedError) || fault.code !== "ca-store/damaged") throw fault;
    report(from, `entries from ${from} on cannot be read: ${fault.message}`);
    return [];
  }
}

/** Each entry in its place, whole, and chained to the one before. */
class ChainWalk {
  readonly #report: Tell;
  #previous = noPrevious;
  next = 1;
  generation = 1;
  entries = 0;

  constructor(report: Tell) {
    this.#report = report;
  }

  /** Answers what the entry tells; undefined: it is not as it was written. */
  step(entry: AuditEntry): EntryBody | undefined {
    const { number, hash, previous } = entry;
    if (number !== this.next) {
      const missing = number - 1 === this.next ? `entry ${this.next} is` : `entries ${this.next} to ${number - 1} are`;
      this.#report(this.next, `${missing} missing`);
    } else if (previous !== this.#previous) {
      this.#report(number, "it does not follow the entry before: one of the two was exchanged");
    }
    this.next = number + 1;
    this.#previous = hash;
    this.entries++;
    const body = bodyOfEntry(entry);
    if (body === undefined) this.#report(number, "its text is not the canonical text of this entry");
    else if (hashEntry(entry.canonical) !== hash) this.#report(number, "it was edited: its hash is another");
    else {
      if (entry.kind === "restored" && typeof body["generation"] === "number") this.generation = body["generation"];
      return body;
    }
    return undefined;
  }
}

function checkHead(
  head: AuditHead,
  entry: AuditEntry,
  generation: number,
  verifyHead: (head: AuditHead) => boolean,
  report: Tell,
): boolean {
  const { number } = head;
  if (!verifyHead(head)) report(number, "the head of this entry is not signed by the audit key");
  else if (head.hash !== entry.hash) report(number, "a signed head vouches for another entry in this place");
  else if (head.generation !== generation) {
    report(number, `a signed head is of generation ${head.generation}, and the log of ${generation} here`);
  } else return true;
  return false;
}
