import type { IsRevoked } from "#ca/callers/client-certificate";
import type { CaStore, Revocation } from "#ca/store/contract";

/** What is revoked, at hand for every call. */
export interface Revoked {
  readonly isRevoked: IsRevoked;
  /** From now on, here; the store has it already. */
  add(revocation: Revocation): void;
  /** Reads the store again, where other replicas write too. Rejects when it cannot be read; what was known stays. */
  refresh(): Promise<void>;
}

/** Reads what the store knows. Rejects when it cannot be read: without it nobody could be told from a revoked one. */
export async function createRevoked(store: Pick<CaStore, "revocations">): Promise<Revoked> {
  let serials = new Set<string>();
  let identities = new Set<string>();
  const add = ({ target }: Revocation) => {
    if (target.kind === "serial") serials.add(target.serialHex);
    else identities.add(target.spiffeId);
  };
  const refresh = async () => {
    const revocations = await store.revocations();
    const [oldSerials, oldIdentities] = [serials, identities];
    // INVARIANT: nothing is un-revoked, also not by a reading that began before it was revoked.
    serials = new Set(oldSerials);
    identities = new Set(oldIdentities);
    for (const revocation of revocations) add(revocation);
  };
  await refresh();
  return {
    isRevoked({ spiffeId, serialHex }) {
      if (serials.has(serialHex)) return "certificate";
      return identities.has(spiffeId) ? "identity" : undefined;
    },
    add,
    refresh,
  };
}
