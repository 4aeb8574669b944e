import { createHash, createPublicKey, generateKeyPair, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** What heads of the audit log are signed with: Ed25519 (RFC 8032), apart from every key that signs certificates. */
export interface AuditKey {
  /** SHA-256 of its SubjectPublicKeyInfo, hex. */
  readonly keyId: string;
  readonly spkiDer: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

/** RFC 8410 §4: the one encoding of an Ed25519 key; 32 bytes follow. */
const prefix = Buffer.from("302a300506032b6570032100", "hex");
const keySizeBytes = 32;

/** A new audit key, kept nowhere yet. */
export async function createAuditKey(): Promise<{ readonly auditKey: AuditKey; readonly privateKey: KeyObject }> {
  const { privateKey } = await generate("ed25519");
  return { auditKey: auditKeyOf(privateKey), privateKey };
}

/** The audit key of a private key. Throws for one that is not Ed25519. */
export function auditKeyOf(privateKey: KeyObject): AuditKey {
  const spkiDer = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
  if (!isAuditKey(spkiDer)) throw new Error("an audit key is an Ed25519 key");
  return Object.freeze({
    keyId: auditKeyId(spkiDer),
    spkiDer,
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)),
  });
}

export function auditKeyId(spkiDer: Uint8Array): string {
  return createHash("sha256").update(spkiDer).digest("hex");
}

/** Did the audit key of this SubjectPublicKeyInfo sign the bytes? False as well for a key that is none. Never throws. */
export function verifyAuditSignature(spkiDer: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (!isAuditKey(spkiDer)) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(spkiDer), format: "der", type: "spki" });
    return verify(null, bytes, key, signature);
  } catch {
    return false; // A signature of another size, or a key that is no point, is none.
  }
}

function isAuditKey(spkiDer: Uint8Array): boolean {
  return spkiDer.length === prefix.length + keySizeBytes && prefix.every((byte, i) => spkiDer[i] === byte);
}
