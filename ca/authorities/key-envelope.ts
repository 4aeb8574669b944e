import { createCipheriv, createDecipheriv, createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { CodedError } from "#platform/coded-error";
import { secretsEqual } from "#platform/secret";
import type { KeyEncryptionKey, ScryptCost } from "./key-encryption-key.ts";

/*
 * An envelope, version 1 (sizes in bytes):
 *
 *   4 magic `GKEY` · 1 version · 1 log2 N · 1 r · 1 p · 16 salt · 12 nonce · 16 check · PKCS #8, encrypted · 16 tag
 *
 * scrypt (RFC 7914) of the key-encryption key gives an AES-256-GCM key and a check value. The check tells a wrong key-encryption key from a damaged
 * envelope; it helps a guesser no more than the tag does. All before the ciphertext, the role and the key id are authenticated with it, so that an
 * envelope that is moved to another record does not open.
 */

const magic = Buffer.from("GKEY");
const version = 1;
const cost: ScryptCost = { logN: 15, r: 8, p: 1 };
/** An envelope may ask for no more than 128 MiB and some tenths of a second, and for no less than what is written. */
const boundary = { logN: [15, 17], r: [8, 8], p: [1, 1] } as const;

const saltSizeBytes = 16;
const nonceSizeBytes = 12;
const checkSizeBytes = 16;
const tagSizeBytes = 16;
const saltAt = 8;
const nonceAt = saltAt + saltSizeBytes;
const checkAt = nonceAt + nonceSizeBytes;
const headSizeBytes = checkAt + checkSizeBytes;
/** The largest private key, RSA-4096, has less than 2.5 KiB. */
const largestEnvelopeBytes = 8 * 1024;

/** Which record an envelope belongs to. */
export interface EnvelopeOwner {
  readonly role: "root" | "issuing" | "audit";
  readonly keyId: string;
}

/** Random bytes from a source fit for keys: `crypto.randomBytes`. */
export type RandomBytes = (sizeBytes: number) => Uint8Array;

/** The private key as PKCS #8, encrypted for its record. Takes the time and memory of one scrypt (2^15, 8, 1: some 50 ms, 32 MiB), off the main thread. */
export async function sealKey(
  key: KeyObject,
  owner: EnvelopeOwner,
  keyEncryptionKey: KeyEncryptionKey,
  random: RandomBytes,
): Promise<Uint8Array> {
  const plain = key.export({ type: "pkcs8", format: "der" });
  try {
    return await sealBytes(plain, owner, keyEncryptionKey, random);
  } finally {
    plain.fill(0);
  }
}

/**
 * The private key of an envelope. Not checked: that it belongs to a certificate. Fails with `ca-key/wrong-encryption-key`, `ca-key/damaged` (also for an
 * envelope of another record) or `ca-key/unknown-version`; costs no more than one scrypt of 2^17, whatever the envelope says.
 */
export async function openKey(
  envelope: Uint8Array,
  owner: EnvelopeOwner,
  keyEncryptionKey: KeyEncryptionKey,
): Promise<KeyObject> {
  const plain = await openBytes(envelope, owner, keyEncryptionKey);
  try {
    return createPrivateKey({ key: plain, type: "pkcs8", format: "der" });
  } finally {
    plain.fill(0);
  }
}

/** The same private key under another key-encryption key. Fails as `openKey` does. */
export async function resealKey(
  envelope: Uint8Array,
  owner: EnvelopeOwner,
  from: KeyEncryptionKey,
  to: KeyEncryptionKey,
  random: RandomBytes,
): Promise<Uint8Array> {
  return sealKey(await openKey(envelope, owner, from), owner, to, random);
}

async function sealBytes(
  plain: Uint8Array,
  owner: EnvelopeOwner,
  keyEncryptionKey: KeyEncryptionKey,
  random: RandomBytes,
): Promise<Uint8Array> {
  const salt = random(saltSizeBytes);
  const { key, check } = await derive(keyEncryptionKey, salt, cost);
  const nonce = random(nonceSizeBytes);
  const head = Buffer.concat([magic, Uint8Array.of(version, cost.logN, cost.r, cost.p), salt, nonce, check]);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagSizeBytes });
  key.fill(0);
  cipher.setAAD(authenticated(head, owner));
  return new Uint8Array(Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

async function openBytes(
  envelope: Uint8Array,
  owner: EnvelopeOwner,
  keyEncryptionKey: KeyEncryptionKey,
): Promise<Buffer> {
  const head = envelope.subarray(0, headSizeBytes);
  const envelopeCost = readCost(envelope, owner);
  const { key, check } = await derive(keyEncryptionKey, head.subarray(saltAt, nonceAt), envelopeCost);
  if (!secretsEqual(check, head.subarray(checkAt)))
    throw new CodedError(
      "ca-key/wrong-encryption-key",
      `${named(owner)} was encrypted under another key-encryption key, or its envelope is damaged`,
    );
  const decipher = createDecipheriv("aes-256-gcm", key, head.subarray(nonceAt, checkAt), {
    authTagLength: tagSizeBytes,
  });
  key.fill(0);
  decipher.setAAD(authenticated(head, owner));
  decipher.setAuthTag(envelope.subarray(envelope.length - tagSizeBytes));
  const plain = decipher.update(envelope.subarray(headSizeBytes, envelope.length - tagSizeBytes));
  try {
    decipher.final();
  } catch (cause) {
    plain.fill(0);
    throw new CodedError("ca-key/damaged", `the envelope of ${named(owner)} is damaged, or belongs to another record`, {
      cause,
    });
  }
  return plain;
}

function readCost(envelope: Uint8Array, owner: EnvelopeOwner): ScryptCost {
  if (
    envelope.length <= headSizeBytes + tagSizeBytes ||
    envelope.length > largestEnvelopeBytes ||
    magic.some((byte, i) => envelope[i] !== byte)
  )
    throw new CodedError("ca-key/damaged", `what is kept of ${named(owner)} is no envelope`);
  const [found, logN, r, p] = envelope.subarray(magic.length, saltAt) as unknown as [number, number, number, number];
  if (found !== version)
    throw new CodedError(
      "ca-key/unknown-version",
      `the envelope of ${named(owner)} has version ${found}: expected ${version}; a newer Garita may have written it`,
    );
  if (!within(logN, boundary.logN) || !within(r, boundary.r) || !within(p, boundary.p))
    throw new CodedError("ca-key/damaged", `the envelope of ${named(owner)} asks for a cost that is not taken`);
  return { logN, r, p };
}

function within(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least && value <= most;
}

async function derive(
  keyEncryptionKey: KeyEncryptionKey,
  salt: Uint8Array,
  scryptCost: ScryptCost,
): Promise<{ readonly key: Buffer; readonly check: Buffer }> {
  const derived = await keyEncryptionKey.derive(salt, scryptCost, 64);
  const check = createHash("sha256").update(derived.subarray(32)).digest().subarray(0, checkSizeBytes);
  derived.fill(0, 32);
  return { key: derived.subarray(0, 32), check };
}

/** INVARIANT: the role holds no NUL, so that no two owners have the same bytes. */
function authenticated(head: Uint8Array, owner: EnvelopeOwner): Buffer {
  return Buffer.concat([head, Buffer.from(`${owner.role}\0${owner.keyId}`)]);
}

function named(owner: EnvelopeOwner): string {
  return `the ${owner.role} key \`${owner.keyId}\``;
}
