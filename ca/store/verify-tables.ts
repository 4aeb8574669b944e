import { type CanonicalValue, canonicalJson, type EntryBody } from "#ca/store/chain";
import type {
  AuditEntry,
  AuthorityRecord,
  JoinTokenRecord,
  Revocation,
  RootWaiver,
  StoreStatus,
} from "#ca/store/contract";
import {
  authorityBody,
  revocationBody,
  rootWaiverBody,
  targetText,
  tokenBody,
  tokenMemoryMillis,
} from "#ca/store/entry-bodies";
import type { TableCheck, Tell } from "#ca/store/verify-projections";

/** What the log and a table must agree on about one thing. */
type State = Readonly<Record<string, CanonicalValue | undefined>>;

/** A table that is held whole. */
export interface HeldTable {
  readonly what: string;
  /** What the table holds, by key. */
  readonly rows: ReadonlyMap<string, State>;
  /** Of what an entry tells: a key, all that there is, or nothing of this table. */
  keyOf(entry: AuditEntry, body: EntryBody): string | "all" | undefined;
  /** What is so after the entry. `before` is undefined for what the log has not told of. Answers undefined where the entry tells of something that is not there. */
  after(before: State | undefined, entry: AuditEntry, body: EntryBody): State | undefined;
  /** May a thing that the log tells of be missing in the table? */
  mayBeMissing(state: State): boolean;
}

/** Follows the log and compares what it tells with the rows. A row may be as it was at the status's last entry, or as any entry after that made it. */
export function createTable(status: StoreStatus, report: Tell, table: HeldTable): TableCheck {
  const told = new Map<string, State>();
  const firstEntry = new Map<string, number>();
  const agreed = new Set<string>();
  const compare = (key: string) => {
    const [row, state] = [table.rows.get(key), told.get(key)];
    if (row !== undefined && state !== undefined && canonicalJson(row) === canonicalJson(state)) agreed.add(key);
  };
  const apply = (key: string, entry: AuditEntry, body: EntryBody) => {
    if (entry.number > status.entries) compare(key);
    const state = table.after(told.get(key), entry, body);
    if (state === undefined)
      report(entry.number, `it tells of the ${table.what} \`${key}\`, of which no entry before does`);
    else told.set(key, state);
    if (!firstEntry.has(key)) firstEntry.set(key, entry.number);
  };
  return {
    async follow(entries) {
      for (const [entry, body] of entries) {
        if (body === undefined) continue;
        const key = table.keyOf(entry, body);
        if (key === "all") for (const each of told.keys()) apply(each, entry, body);
        else if (key !== undefined) apply(key, entry, body);
      }
    },
    async finish() {
      for (const key of table.rows.keys()) {
        compare(key);
        if (agreed.has(key)) continue;
        const entry = firstEntry.get(key);
        if (entry === undefined) report(0, `the table has the ${table.what} \`${key}\`, and the log does not`);
        else report(entry, `the table tells otherwise of the ${table.what} \`${key}\``);
      }
      for (const [key, state] of told) {
        const entry = firstEntry.get(key) ?? 0;
        if (table.rows.has(key) || entry > status.entries || table.mayBeMissing(state)) continue;
        report(entry, `the ${table.what} \`${key}\` is not in its table`);
      }
    },
  };
}

/** Join tokens: made, redeemed, ended by a restore, and forgotten 30 days after their end. */
export function tokenTable(tokens: readonly JoinTokenRecord[], nowMillis: number): HeldTable {
  return {
    what: "join token",
    rows: new Map(tokens.map((token) => [token.hash, tokenState(token)])),
    keyOf({ kind }, body) {
      if (kind === "restored") return "all";
      return kind === "token-created" || kind === "token-redeemed" ? String(body["tokenHash"]) : undefined;
    },
    after(before, { kind, atMillis }, body) {
      if (kind === "token-created") return { ...body, createdMillis: atMillis };
      if (before === undefined) return undefined;
      const { serialHex, remoteAddress } = body;
      if (kind === "token-redeemed") return { ...before, usedMillis: atMillis, serialHex, remoteAddress };
      const ends = Math.min(Number(before["expiresMillis"]), atMillis);
      return before["usedMillis"] === undefined ? { ...before, expiresMillis: ends } : before;
    },
    mayBeMissing({ expiresMillis, usedMillis }) {
      return Math.max(Number(expiresMillis), Number(usedMillis ?? 0)) <= nowMillis - tokenMemoryMillis;
    },
  };
}

function tokenState(token: JoinTokenRecord): State {
  const { createdMillis, used } = token;
  const { atMillis: usedMillis, serialHex, remoteAddress } = used ?? {};
  return { ...tokenBody(token), createdMillis, usedMillis, serialHex, remoteAddress };
}

export function revocationTable(revocations: readonly Revocation[]): HeldTable {
  const keyOf = (body: EntryBody) => `${body["target"]} ${body["of"]}`;
  return {
    what: "revocation",
    rows: new Map(
      revocations.map((revocation) => {
        const { target, atMillis } = revocation;
        return [`${target.kind} ${targetText(target)}`, { ...revocationBody(revocation), atMillis }];
      }),
    ),
    keyOf: ({ kind }, body) => (kind === "revoked" ? keyOf(body) : undefined),
    after: (_before, { atMillis }, body) => ({ ...body, atMillis }),
    mayBeMissing: () => false,
  };
}

export function authorityTable(authorities: readonly AuthorityRecord[]): HeldTable {
  return {
    what: "authority",
    rows: new Map(
      authorities.map((authority) => {
        const { createdMillis, stateMillis } = authority;
        return [authority.keyId, { ...authorityBody(authority), createdMillis, stateMillis }];
      }),
    ),
    keyOf({ kind }, body) {
      return kind === "authority-added" || kind === "authority-state" ? String(body["keyId"]) : undefined;
    },
    after(before, { kind, atMillis }, body) {
      if (kind === "authority-added") return { ...body, createdMillis: atMillis, stateMillis: atMillis };
      return before && { ...before, state: body["state"], stateMillis: atMillis };
    },
    mayBeMissing: () => false,
  };
}

export function rootWaiverTable(waivers: readonly RootWaiver[]): HeldTable {
  const keyOf = (body: EntryBody) => `${body["keyId"]} ${body["spiffeId"]}`;
  return {
    what: "waiver",
    rows: new Map(
      waivers.map((waiver) => {
        const body = rootWaiverBody(waiver);
        return [keyOf(body), { ...body, atMillis: waiver.atMillis }];
      }),
    ),
    keyOf: ({ kind }, body) => (kind === "root-waived" ? keyOf(body) : undefined),
    after: (_before, { atMillis }, body) => ({ ...body, atMillis }),
    mayBeMissing: () => false,
  };
}
