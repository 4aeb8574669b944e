import type { AuthorityRecord } from "#ca/store/contract";
import { authorityBody, authorityStateBody } from "#ca/store/entry-bodies";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { authorityOf } from "#ca/store/sqlite/rows";
import { CodedError } from "#platform/coded-error";

/** The authority's own keys, as they were handed over: encrypted. */
export function authorityOperations(ledger: Ledger) {
  const { database } = ledger;
  const find = database.prepare("SELECT number FROM authorities WHERE key_id = ?");
  const insert = database.prepare(
    "INSERT INTO authorities (number, key_id, role, state, key_kind, certificate, encrypted_key, created_millis) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const insertChain = database.prepare("INSERT INTO authority_chains (number, place, certificate) VALUES (?, ?, ?)");
  const setState = database.prepare("UPDATE authorities SET state = ? WHERE number = ?");
  const all = database.prepare("SELECT * FROM authorities ORDER BY number");
  const chain = database.prepare("SELECT certificate FROM authority_chains WHERE number = ? ORDER BY place");
  return {
    addAuthority(authority: AuthorityRecord): void {
      const { keyId, role, state, keyKind, certificateDer, encryptedKey, createdMillis } = authority;
      if (find.get(keyId) !== undefined) {
        throw new CodedError("ca-store/exists", `an authority with the key \`${keyId}\` is there already`);
      }
      const number = ledger.append("authority-added", createdMillis, authorityBody(authority));
      insert.run(number, keyId, role, state, keyKind, certificateDer, encryptedKey ?? null, createdMillis);
      authority.chainDer.forEach((der, place) => {
        insertChain.run(number, place, der);
      });
    },
    setAuthorityStates(
      states: readonly { readonly keyId: string; readonly state: AuthorityRecord["state"] }[],
      atMillis: number,
    ): void {
      const found = states.map(({ keyId, state }) => {
        const number = find.get(keyId)?.["number"];
        if (number === undefined) throw new CodedError("ca-store/unknown", `no authority has the key \`${keyId}\``);
        return { keyId, state, number };
      });
      for (const { keyId, state, number } of found) {
        ledger.append("authority-state", atMillis, authorityStateBody(keyId, state));
        setState.run(state, number);
      }
    },
    authorities(): readonly AuthorityRecord[] {
      return all.all().map((row) => {
        const certificates = chain.all(Number(row["number"])).map(({ certificate }) => certificate as Uint8Array);
        return authorityOf(row, certificates);
      });
    },
  };
}
