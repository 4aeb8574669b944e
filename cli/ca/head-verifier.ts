import { verifyAuditSignature } from "#ca/authorities/audit-key";
import { headBytes } from "#ca/store/chain";
import type { AuditHead, AuthorityRecord } from "#ca/store/contract";

/** Tells the heads that one of the audit keys among these records signed. */
export function headVerifierOf(authorities: readonly AuthorityRecord[]): (head: AuditHead) => boolean {
  const keys = new Map(
    authorities.filter(({ role }) => role === "audit").map(({ keyId, certificateDer }) => [keyId, certificateDer]),
  );
  return (head) => {
    const spkiDer = keys.get(head.auditKeyId);
    return spkiDer !== undefined && verifyAuditSignature(spkiDer, headBytes(head), head.signature);
  };
}
