import { generateKeyPairSync, sign, verify } from "node:crypto";
import { headBytes } from "#ca/store/chain";
import type { AuditHead, CaStore } from "#ca/store/contract";

/** A key that seals, and tells its heads from others'. */
export function createAuditKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signBytes = (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey));
  return {
    sign: signBytes,
    verifyHead: ({ signature, ...head }: AuditHead) => verify(null, headBytes(head), publicKey, signature),
    /** Seals the log as it is now. Answers the head. */
    async seal(store: CaStore): Promise<AuditHead> {
      const { entries: number, lastHash: hash, generation } = await store.status();
      const unsigned = { number, hash, generation, atMillis: 1, auditKeyId: "audit" };
      const head = { ...unsigned, signature: signBytes(headBytes(unsigned)) };
      await store.addAuditHead(head);
      return head;
    },
  };
}
