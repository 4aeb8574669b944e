import { hash } from "node:crypto";
import type { EntryBody } from "#ca/store/chain";
import type {
  AuthorityRecord,
  IssuanceCompletion,
  IssuanceIntent,
  JoinTokenRecord,
  Revocation,
  RootWaiver,
} from "#ca/store/contract";

/**
 * What the audit log says about each thing that the store keeps. Every implementation writes these bodies, and `verifyChain` makes them anew from what the store
 * answers and compares: so a body holds all of a record that must not change unseen. The time of the entry is the record's own.
 */

/** Kind `issuance-intended`. */
export function intentBody(intent: IssuanceIntent): EntryBody {
  return {
    requestId: intent.requestId,
    serialHex: intent.serialHex,
    spiffeId: intent.spiffeId,
    dnsNames: intent.dnsNames,
    keyKind: intent.keyKind,
    spkiHash: intent.spkiHash,
    notBeforeMillis: intent.notBeforeMillis,
    notAfterMillis: intent.notAfterMillis,
    issuerKeyId: intent.issuerKeyId,
    csrHash: intent.csrHash,
    method: intent.method,
    caller: intent.caller,
    evidence: intent.evidence,
    registration: intent.registration,
    nameMismatch: intent.nameMismatch,
    bundleSequence: intent.bundleSequence,
  };
}

/** Kind `issuance-completed`. */
export function completionBody(completion: Pick<IssuanceCompletion, "serialHex" | "fingerprint">): EntryBody {
  return { serialHex: completion.serialHex, fingerprint: completion.fingerprint };
}

/** Kind `issuance-abandoned`. */
export function abandonedBody(serialHex: string, reason: string): EntryBody {
  return { serialHex, reason };
}

/** Kind `token-created`. The secret is not in it: its hash is. */
export function tokenBody(token: JoinTokenRecord): EntryBody {
  return {
    tokenHash: token.hash,
    spiffeId: token.spiffeId,
    expiresMillis: token.expiresMillis,
    createdBy: token.createdBy,
    sourceCidrs: token.sourceCidrs,
  };
}

/** Kind `token-redeemed`. */
export function redemptionBody(tokenHash: string, serialHex: string, remoteAddress: string | undefined): EntryBody {
  return { tokenHash, serialHex, remoteAddress };
}

/** Kind `revoked`. */
export function revocationBody(revocation: Revocation): EntryBody {
  const { target, by, reason } = revocation;
  return { target: target.kind, of: targetText(revocation.target), by, reason };
}

/** The serial, the fingerprint or the SPIFFE ID. */
export function targetText(target: Revocation["target"]): string {
  switch (target.kind) {
    case "serial":
      return target.serialHex;
    case "fingerprint":
      return target.fingerprint;
    case "identity":
      return target.spiffeId;
  }
}

/** Kind `authority-added`, with the state that it was added in. Of the encrypted key only a digest. */
export function authorityBody(authority: AuthorityRecord): EntryBody {
  const { keyId, role, state, slot, keyKind, certificateDer, chainDer, encryptedKey } = authority;
  return {
    keyId,
    role,
    state,
    slot,
    keyKind,
    certificate: sha256(certificateDer),
    chain: chainDer.map(sha256),
    encryptedKey: encryptedKey === undefined ? undefined : sha256(encryptedKey),
  };
}

/** Kind `authority-state`. */
export function authorityStateBody(keyId: string, state: AuthorityRecord["state"]): EntryBody {
  return { keyId, state };
}

/** Kind `root-waived`. */
export function rootWaiverBody({ rootKeyId, spiffeId, by, reason }: RootWaiver): EntryBody {
  return { keyId: rootKeyId, spiffeId, by, reason };
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** How long a join token stays known after it ended or was used. */
export const tokenMemoryMillis = 30 * 24 * 3_600_000;
