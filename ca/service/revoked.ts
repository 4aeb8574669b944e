import type { IsRevoked, RevokedPart } from "#ca/callers/client-certificate";
import type { CaStore, Revocation } from "#ca/store/contract";

/** What is revoked, at hand for every call. Nothing is ever un-revoked. */
export interface Revoked {
  isRevoked(leaf: Parameters<IsRevoked>[0]): RevokedPart;
  isIdentityRevoked(spiffeId: string): boolean;
  /** From now on, here; whether or not the store has it already. */
  add(revocation: Revocation): void;
  /** `changed` is called after each `add`. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
}

/** Reads what the store knows. Rejects when it cannot be read: without it nobody could be told from a revoked one. */
export async function createRevoked(store: Pick<CaStore, "revocations">): Promise<Revoked> {
  const serials = new Set<string>();
  const identities = new Set<string>();
  const add = ({ target }: Revocation) => {
    if (target.kind === "serial") serials.add(target.serialHex);
    else identities.add(target.spiffeId);
  };
  for (const revocation of await store.revocations()) add(revocation);
  const listeners = new Set<() => void>();
  return {
    isRevoked({ spiffeId, serialHex }) {
      if (serials.has(serialHex)) return "certificate";
      return identities.has(spiffeId) ? "identity" : undefined;
    },
    isIdentityRevoked: (spiffeId) => identities.has(spiffeId),
    add(revocation) {
      add(revocation);
      for (const changed of listeners) changed();
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}
