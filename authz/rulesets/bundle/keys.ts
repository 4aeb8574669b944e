import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";
import { readPrivateSecret } from "#platform/secret";

/** Whose policy bundles are taken. Never empty. */
export interface TrustedKeys {
  readonly keys: readonly KeyObject[];
  /** Names the set: equal keys in equal order, equal mark. */
  readonly mark: string;
}

/** RFC 7468 §3. */
const block = /-----BEGIN [^-]*-----[^-]*-----END [^-]*-----/g;

/**
 * The Ed25519 keys of a file of SPKI PEM (`BEGIN PUBLIC KEY`), as `openssl pkey -pubout` writes them; several stand one after the other, with lines that begin
 * with `#` between them. Fails with `bundle/keys`, also for a file that holds anything else beside: it may be a key that was damaged.
 */
export async function readTrustedKeys(path: string): Promise<TrustedKeys> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CodedError("bundle/keys", `cannot read \`${path}\`: ${messageOf(cause)}`, { cause });
  });
  const blocks = text.match(block) ?? [];
  const keys = blocks.map((pem) => parsePublicKey(pem, path));
  if (/^\s*[^#\s]/m.test(text.replaceAll(block, ""))) throw holdsElse(path);
  if (keys.length === 0) throw new CodedError("bundle/keys", `\`${path}\` holds no public key in PEM`);
  return { keys, mark: keys.map(keyFingerprint).join(" ") };
}

/**
 * The Ed25519 key of a file of PKCS #8 PEM that nobody but its owner may read, as `openssl genpkey -algorithm ed25519` writes it. Fails with `bundle/keys`
 * or like `readPrivateSecret`.
 */
export async function readSigningKey(path: string): Promise<KeyObject> {
  const pem = Buffer.from(await readPrivateSecret(path));
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What the library says may repeat what it has read.
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new CodedError("bundle/keys", `\`${path}\` holds no Ed25519 private key in PKCS #8 PEM without a passphrase`);
}

/** `SHA256:` and the SHA-256 of the public key's SPKI in base64, for people. A private key has that of its public one. */
export function keyFingerprint(key: KeyObject): string {
  const spki = (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(spki).digest("base64").replace(/=+$/, "")}`;
}

function parsePublicKey(pem: string, path: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    // A private key would be taken for its public half.
    key = pem.startsWith("-----BEGIN PUBLIC KEY-----") ? createPublicKey(pem) : undefined;
  } catch {
    key = undefined;
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw holdsElse(path);
}

function holdsElse(path: string): CodedError {
  return new CodedError("bundle/keys", `\`${path}\` holds something else than Ed25519 public keys in SPKI PEM`);
}
