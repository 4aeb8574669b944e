import type { IsRevoked, RevokedPart } from "#ca/callers/client-certificate";
import type { CaStore, IssuanceRecord, Revocation } from "#ca/store/contract";
import { targetText } from "#ca/store/entry-bodies";
import type { DeniedCertificate } from "#identity/deny-list/deny-list";

type Target = Revocation["target"];

/** What is revoked, at hand for every call. Nothing is ever un-revoked. */
export interface Revoked {
  isRevoked(leaf: Parameters<IsRevoked>[0]): RevokedPart;
  isIdentityRevoked(spiffeId: string): boolean;
  /** From now on it is refused here; whether or not the store has it already. */
  refuse(target: Target): void;
  /** From now on it is on the deny list too. `certificate`: what a serial names. */
  deny(target: Target, certificate: DeniedCertificate | undefined): void;
  /** The store has it for good: a list that has not is an older one. */
  keep(target: Target): void;
  /** What a deny list holds, ended certificates too. `revocations`: how many are kept, which only grows, over restarts too. */
  denied(): DeniedNow;
  /** `changed` is called after each `deny`. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
  /** The same of each `keep`. */
  subscribeKept(changed: () => void): () => void;
}

export interface DeniedNow {
  readonly certificates: readonly DeniedCertificate[];
  readonly identities: readonly string[];
  readonly revocations: number;
}

/**
 * Reads what the store knows. Rejects when it cannot be read: without it nobody could be told from a revoked one. A serial of which the store has no certificate
 * is refused here, and cannot be on a list.
 */
export async function createRevoked(store: Pick<CaStore, "revocations" | "issuance">): Promise<Revoked> {
  const refused = { serial: new Set<string>(), fingerprint: new Set<string>(), identity: new Set<string>() };
  /** INVARIANT: never more than the store has, or the lists of the next start would be refused as older ones. */
  const kept = new Set<string>();
  const certificates = new Map<string, DeniedCertificate>();
  const identities = new Set<string>();
  const refuse = (target: Target) => void refused[target.kind].add(targetText(target));
  const deny = (target: Target, certificate: DeniedCertificate | undefined) => {
    if (target.kind === "identity") identities.add(target.spiffeId);
    const named =
      target.kind === "fingerprint" ? { fingerprint: target.fingerprint, endsMillis: undefined } : certificate;
    if (named !== undefined) certificates.set(named.fingerprint, named);
  };
  const keep = (target: Target) => void kept.add(`${target.kind} ${targetText(target)}`);
  for (const { target } of await store.revocations()) {
    refuse(target);
    keep(target);
    const record = target.kind === "serial" ? await store.issuance(target.serialHex) : undefined;
    deny(target, certificateOf(record));
  }
  const [onDenied, onKept] = [new Set<() => void>(), new Set<() => void>()];
  const subscribeTo = (listeners: Set<() => void>) => (changed: () => void) => {
    listeners.add(changed);
    return () => void listeners.delete(changed);
  };
  return {
    isRevoked({ spiffeId, serialHex, fingerprint }) {
      if (refused.serial.has(serialHex) || refused.fingerprint.has(fingerprint)) return "certificate";
      return refused.identity.has(spiffeId) ? "identity" : undefined;
    },
    isIdentityRevoked: (spiffeId) => refused.identity.has(spiffeId),
    refuse,
    deny(target, certificate) {
      deny(target, certificate);
      for (const changed of onDenied) changed();
    },
    keep(target) {
      keep(target);
      for (const changed of onKept) changed();
    },
    denied: () => ({ certificates: [...certificates.values()], identities: [...identities], revocations: kept.size }),
    subscribe: subscribeTo(onDenied),
    subscribeKept: subscribeTo(onKept),
  };
}

/** The certificate of a record, if it has one. */
export function certificateOf(record: IssuanceRecord | undefined): DeniedCertificate | undefined {
  if (record?.fingerprint === undefined) return undefined;
  return { fingerprint: record.fingerprint, endsMillis: record.notAfterMillis };
}
