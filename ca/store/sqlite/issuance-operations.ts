import type { SQLInputValue } from "node:sqlite";
import type {
  CertificateInUse,
  IntentOutcome,
  InUseQuery,
  IssuanceCompletion,
  IssuanceIntent,
  IssuanceQuery,
  IssuanceRecord,
  Revocation,
} from "#ca/store/contract";
import { abandonedBody, completionBody, intentBody, redemptionBody, sha256 } from "#ca/store/entry-bodies";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { inUseOf, issuanceOf, issuanceStates, type Row } from "#ca/store/sqlite/rows";
import { CodedError } from "#platform/coded-error";

const insertIntent = `
  INSERT INTO issuances (
    number, state, serial, spiffe_id, spki_hash, not_before_millis, not_after_millis, at_millis, request_id, dns_names, key_kind,
    issuer_key_id, csr_hash, method, caller, evidence, registration, name_mismatch, bundle_sequence
  ) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const selectIssuances = `
  SELECT i.*, c.fingerprint, c.der FROM issuances i LEFT JOIN certificates c ON c.number = i.number`;

type RevocationOf = (serialHex: string, fingerprint: string | undefined, spiffeId: string) => Revocation | undefined;

/** Intents, completions and what became of them. */
export function issuanceOperations(ledger: Ledger, revocationOf: RevocationOf) {
  const { database } = ledger;
  const token = database.prepare(
    "SELECT number, spiffe_id, expires_millis, ifnull(used_millis, used_serial) AS used FROM join_tokens WHERE hash = ?",
  );
  const redeemToken = database.prepare(
    "UPDATE join_tokens SET used_millis = ?, used_serial = ?, used_from = ? WHERE number = ?",
  );
  const identityRevoked = database.prepare("SELECT 1 FROM revocations WHERE target = 'identity' AND value = ?");
  const serialTaken = database.prepare("SELECT 1 FROM issuances WHERE serial = ?");
  const keyOwner = database.prepare("SELECT spiffe_id FROM issuances WHERE spki_hash = ? LIMIT 1");
  const insert = database.prepare(insertIntent);
  const openIntent = database.prepare("SELECT number FROM issuances WHERE serial = ? AND state = 0");
  const setState = database.prepare("UPDATE issuances SET state = ? WHERE number = ?");
  const insertCertificate = database.prepare("INSERT INTO certificates (number, fingerprint, der) VALUES (?, ?, ?)");
  const bySerial = database.prepare(`${selectIssuances} WHERE i.serial = ?`);
  const numberOf = database.prepare("SELECT number, not_after_millis FROM issuances WHERE serial = ?");
  const inUse = database.prepare(selectInUse);
  const recordOf = (row: Row): IssuanceRecord => {
    const { fingerprint } = row;
    const told = typeof fingerprint === "string" ? fingerprint : undefined;
    return issuanceOf(row, revocationOf(String(row["serial"]), told, String(row["spiffe_id"])));
  };

  const numberOfOpenIntent = (serialHex: string): number => {
    const row = openIntent.get(serialHex);
    if (row === undefined) {
      throw new CodedError("ca-store/no-intent", `no issuance with the serial \`${serialHex}\` is under way`);
    }
    return Number(row["number"]);
  };

  return {
    recordIntent(
      intent: IssuanceIntent,
      redeem: { readonly tokenHash: string; readonly remoteAddress: string | undefined } | undefined,
    ): IntentOutcome {
      if (identityRevoked.get(intent.spiffeId) !== undefined) return { ok: false, fault: "identity-revoked" };
      const row = redeem && token.get(redeem.tokenHash);
      if (redeem !== undefined) {
        // A token is for one identity: for another there is none.
        if (row === undefined || row["spiffe_id"] !== intent.spiffeId) return { ok: false, fault: "token-unknown" };
        if (row["used"] !== null) return { ok: false, fault: "token-used" };
        if (Number(row["expires_millis"]) <= intent.atMillis) return { ok: false, fault: "token-expired" };
      }
      if (serialTaken.get(intent.serialHex) !== undefined) return { ok: false, fault: "serial-in-use" };
      const owner = keyOwner.get(intent.spkiHash);
      if (owner !== undefined && owner["spiffe_id"] !== intent.spiffeId) return { ok: false, fault: "key-in-use" };

      // INVARIANT: everything that can refuse stands above.
      const number = ledger.append("issuance-intended", intent.atMillis, intentBody(intent));
      insert.run(
        number,
        intent.serialHex,
        intent.spiffeId,
        intent.spkiHash,
        intent.notBeforeMillis,
        intent.notAfterMillis,
        intent.atMillis,
        intent.requestId,
        JSON.stringify(intent.dnsNames),
        intent.keyKind,
        intent.issuerKeyId,
        intent.csrHash,
        intent.method,
        intent.caller,
        intent.evidence,
        intent.registration ?? null,
        JSON.stringify(intent.nameMismatch),
        intent.bundleSequence ?? null,
      );
      ledger.count({ issued: 0, unfinished: 1 });
      if (redeem !== undefined && row !== undefined) {
        const { tokenHash, remoteAddress } = redeem;
        ledger.append("token-redeemed", intent.atMillis, redemptionBody(tokenHash, intent.serialHex, remoteAddress));
        redeemToken.run(intent.atMillis, intent.serialHex, remoteAddress ?? null, Number(row["number"]));
      }
      return { ok: true };
    },

    recordCompletion(completion: IssuanceCompletion): void {
      if (sha256(completion.certificateDer) !== completion.fingerprint) {
        throw new Error(`the fingerprint of \`${completion.serialHex}\` is not its certificate's`);
      }
      const number = numberOfOpenIntent(completion.serialHex);
      ledger.append("issuance-completed", completion.atMillis, completionBody(completion));
      insertCertificate.run(number, completion.fingerprint, completion.certificateDer);
      setState.run(1, number);
      ledger.count({ issued: 1, unfinished: -1 });
    },

    recordAbandoned(serialHex: string, atMillis: number, reason: string): void {
      const number = numberOfOpenIntent(serialHex);
      ledger.append("issuance-abandoned", atMillis, abandonedBody(serialHex, reason));
      setState.run(2, number);
      ledger.count({ issued: 0, unfinished: -1 });
    },

    /** Every intent that is open. Answers their serials. */
    abandonOpenIntents(atMillis: number, reason: string): readonly string[] {
      const open = database.prepare("SELECT number, serial FROM issuances WHERE state = 0 ORDER BY number").all();
      for (const { number, serial } of open) {
        ledger.append("issuance-abandoned", atMillis, abandonedBody(String(serial), reason));
        setState.run(2, Number(number));
        ledger.count({ issued: 0, unfinished: -1 });
      }
      return open.map(({ serial }) => String(serial));
    },

    issuance(serialHex: string): IssuanceRecord | undefined {
      const row = bySerial.get(serialHex);
      return row && recordOf(row);
    },

    issuances(query: IssuanceQuery): readonly IssuanceRecord[] {
      const { wheres, values } = conditions(query);
      if (query.after !== undefined) {
        const number = numberOf.get(query.after)?.["number"];
        if (number === undefined) {
          throw new CodedError("ca-store/unknown", `no issuance has the serial \`${query.after}\``);
        }
        wheres.push("i.number < ?");
        values.push(Number(number));
      }
      const where = wheres.length === 0 ? "" : ` WHERE ${wheres.join(" AND ")}`;
      const sql = `${selectIssuances}${where} ORDER BY i.number DESC LIMIT ?`;
      const rows = database.prepare(sql).all(...values, query.limit);
      return rows.map(recordOf);
    },

    certificatesInUse({ endingAfterMillis, after, limit }: InUseQuery): readonly CertificateInUse[] {
      const last = after === undefined ? undefined : numberOf.get(after);
      if (after !== undefined && last === undefined) {
        throw new CodedError("ca-store/unknown", `no issuance has the serial \`${after}\``);
      }
      // Of those that end with the last one, the ones behind it; of no certificate the number is below 0.
      const fromMillis = Math.max(endingAfterMillis + 1, Number(last?.["not_after_millis"] ?? 0));
      const rows = inUse.all(fromMillis, fromMillis, Number(last?.["number"] ?? -1), limit);
      return rows.map(inUseOf);
    },
  };
}

const isRevoked = `(
  EXISTS (SELECT 1 FROM revocations r WHERE r.target = 'serial' AND r.value = i.serial)
  OR EXISTS (SELECT 1 FROM revocations r WHERE r.target = 'fingerprint' AND r.value = c.fingerprint)
  OR EXISTS (SELECT 1 FROM revocations r WHERE r.target = 'identity' AND r.value = i.spiffe_id))`;

/** By the index of the ends alone, which holds the numbers too: a page costs its own rows. */
const selectInUse = `
  SELECT i.number, i.serial, i.spiffe_id, i.spki_hash, c.fingerprint, i.at_millis, i.not_after_millis, i.issuer_key_id, i.method, i.evidence,
    i.bundle_sequence
  FROM issuances i LEFT JOIN certificates c ON c.number = i.number
  WHERE i.not_after_millis >= ? AND (i.not_after_millis > ? OR i.number > ?) AND i.state < 2 AND NOT ${isRevoked}
  ORDER BY i.not_after_millis, i.number LIMIT ?`;

const isNewest = `i.state = 1 AND NOT EXISTS (
  SELECT 1 FROM issuances n
  WHERE n.spki_hash = i.spki_hash AND n.spiffe_id = i.spiffe_id AND n.state = 1 AND n.number > i.number)`;

function conditions(query: IssuanceQuery): { readonly wheres: string[]; readonly values: SQLInputValue[] } {
  const wheres: string[] = [];
  const values: SQLInputValue[] = [];
  const want = (sql: string, ...given: SQLInputValue[]) => {
    wheres.push(sql);
    values.push(...given);
  };
  if (query.spiffeId !== undefined) want("i.spiffe_id = ?", query.spiffeId);
  if (query.state !== undefined) want("i.state = ?", issuanceStates.indexOf(query.state));
  if (query.fingerprint !== undefined) want("c.fingerprint = ?", query.fingerprint);
  if (query.revoked !== undefined) want(query.revoked ? isRevoked : `NOT ${isRevoked}`);
  if (query.endingBefore !== undefined) {
    want("i.not_after_millis > ?", query.endingBefore.nowMillis);
    want("i.not_after_millis < ?", query.endingBefore.millis);
  }
  if (query.newestOnly === true) want(isNewest);
  return { wheres, values };
}
