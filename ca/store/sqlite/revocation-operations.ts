import type { Revocation } from "#ca/store/contract";
import { revocationBody, targetText } from "#ca/store/entry-bodies";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { revocationOf } from "#ca/store/sqlite/rows";

/** What is revoked. `revocationOf` answers for a certificate: its own revocation, by serial or fingerprint, else its identity's. */
export function revocationOperations(ledger: Ledger) {
  const { database } = ledger;
  const find = database.prepare("SELECT * FROM revocations WHERE target = ? AND value = ?");
  const insert = database.prepare(
    "INSERT INTO revocations (number, target, value, at_millis, by, reason) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const all = database.prepare("SELECT * FROM revocations ORDER BY number");
  return {
    /** `fingerprint` undefined: it has no certificate. */
    revocationOf(serialHex: string, fingerprint: string | undefined, spiffeId: string): Revocation | undefined {
      const row =
        find.get("serial", serialHex) ??
        (fingerprint === undefined ? undefined : find.get("fingerprint", fingerprint)) ??
        find.get("identity", spiffeId);
      return row && revocationOf(row);
    },
    operations: {
      revoke(revocation: Revocation): boolean {
        const { target, atMillis, by, reason } = revocation;
        if (find.get(target.kind, targetText(target)) !== undefined) return false;
        const number = ledger.append("revoked", atMillis, revocationBody(revocation));
        insert.run(number, target.kind, targetText(target), atMillis, by, reason);
        return true;
      },
      revocations(): readonly Revocation[] {
        return all.all().map(revocationOf);
      },
    },
  };
}
