import type { AuthorityRecord, AuthorityTransition, RootWaiver } from "#ca/store/contract";
import { authorityBody, authorityStateBody, rootWaiverBody } from "#ca/store/entry-bodies";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { authorityOf, rootWaiverOf } from "#ca/store/sqlite/rows";
import { CodedError } from "#platform/coded-error";

/** The authority's own keys, as they were handed over: encrypted. */
export function authorityOperations(ledger: Ledger) {
  const { database } = ledger;
  const find = database.prepare("SELECT number, state FROM authorities WHERE key_id = ?");
  const insert = database.prepare(
    "INSERT INTO authorities (number, key_id, role, state, state_millis, slot, key_kind, certificate, encrypted_key, created_millis) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const insertChain = database.prepare("INSERT INTO authority_chains (number, place, certificate) VALUES (?, ?, ?)");
  const setState = database.prepare("UPDATE authorities SET state = ?, state_millis = ? WHERE number = ?");
  const all = database.prepare("SELECT * FROM authorities ORDER BY number");
  const findWaiver = database.prepare("SELECT 1 FROM root_waivers WHERE root_key_id = ? AND spiffe_id = ?");
  const insertWaiver = database.prepare(
    "INSERT INTO root_waivers (number, root_key_id, spiffe_id, at_millis, by, reason) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const allWaivers = database.prepare("SELECT * FROM root_waivers ORDER BY number");
  const chain = database.prepare("SELECT certificate FROM authority_chains WHERE number = ? ORDER BY place");
  return {
    addAuthority(authority: AuthorityRecord): void {
      const { keyId, role, state, stateMillis, slot, keyKind, certificateDer, encryptedKey, createdMillis } = authority;
      if (stateMillis !== createdMillis) throw new Error("an authority is added in the state in which it was made");
      if (find.get(keyId) !== undefined) {
        throw new CodedError("ca-store/exists", `an authority with the key \`${keyId}\` is there already`);
      }
      const number = ledger.append("authority-added", createdMillis, authorityBody(authority));
      insert.run(
        number,
        keyId,
        role,
        state,
        stateMillis,
        slot ?? null,
        keyKind,
        certificateDer,
        encryptedKey ?? null,
        createdMillis,
      );
      authority.chainDer.forEach((der, place) => {
        insertChain.run(number, place, der);
      });
    },
    setAuthorityStates(states: readonly AuthorityTransition[], atMillis: number): void {
      const found = states.map(({ keyId, from, state }) => {
        const row = find.get(keyId);
        if (row === undefined) throw new CodedError("ca-store/unknown", `no authority has the key \`${keyId}\``);
        if (from !== undefined && row["state"] !== from)
          throw new CodedError(
            "ca-store/conflict",
            `the authority \`${keyId}\` is ${row["state"]}, and was to go from ${from} to ${state}`,
          );
        return { keyId, state, number: Number(row["number"]) };
      });
      for (const { keyId, state, number } of found) {
        ledger.append("authority-state", atMillis, authorityStateBody(keyId, state));
        setState.run(state, atMillis, number);
      }
    },
    authorities(): readonly AuthorityRecord[] {
      return all.all().map((row) => {
        const certificates = chain.all(Number(row["number"])).map(({ certificate }) => certificate as Uint8Array);
        return authorityOf(row, certificates);
      });
    },
    addRootWaiver(waiver: RootWaiver): boolean {
      const { rootKeyId, spiffeId, atMillis, by, reason } = waiver;
      if (findWaiver.get(rootKeyId, spiffeId) !== undefined) return false;
      const number = ledger.append("root-waived", atMillis, rootWaiverBody(waiver));
      insertWaiver.run(number, rootKeyId, spiffeId, atMillis, by, reason);
      return true;
    },
    rootWaivers(): readonly RootWaiver[] {
      return allWaivers.all().map(rootWaiverOf);
    },
  };
}
