import { scrypt, timingSafeEqual } from "node:crypto";
import { CodedError } from "#platform/coded-error";
import { readPrivateSecret } from "#platform/secret";

/** Where the key-encryption key is looked for when no file is named. */
export const keyEncryptionKeyVariable = "GARITA_CA_KEY_ENCRYPTION_KEY";

const smallestSizeBytes = 16;

/** Cost of one derivation (RFC 7914): 128 · 2^logN · r bytes of memory. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/**
 * The secret under which private keys lie at rest. INVARIANT: it has at least 16 bytes, and no way out: it derives keys, is not printed, logged or
 * serialised.
 */
export class KeyEncryptionKey {
  readonly #secret: Uint8Array;

  private constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** Fails with `ca-key/encryption-key-short`. The bytes are copied. */
  static of(secret: Uint8Array): KeyEncryptionKey {
    if (secret.length < smallestSizeBytes)
      throw new CodedError(
        "ca-key/encryption-key-short",
        `the key-encryption key has ${secret.length} bytes: expected at least ${smallestSizeBytes} (\`openssl rand -base64 32\`)`,
      );
    return new KeyEncryptionKey(Uint8Array.from(secret));
  }

  /** Is it the same secret? */
  equals(other: KeyEncryptionKey): boolean {
    return other.#secret.length === this.#secret.length && timingSafeEqual(other.#secret, this.#secret);
  }

  /** scrypt of the secret, off the main thread. The caller bounds the cost. */
  derive(salt: Uint8Array, cost: ScryptCost, sizeBytes: number): Promise<Buffer> {
    const N = 2 ** cost.logN;
    // OpenSSL counts its own blocks too: 128·r·(N + p + 2) is what it asks for.
    const maxmem = 128 * cost.r * (N + cost.p + 2);
    return new Promise((resolve, reject) => {
      scrypt(this.#secret, salt, sizeBytes, { N, r: cost.r, p: cost.p, maxmem }, (fault, derived) =>
        fault === null ? resolve(derived) : reject(fault),
      );
    });
  }
}

/**
 * The key-encryption key from the file (mode 0600 or less, ours or root's; a line break at its end does not count) or from the environment variable
 * `GARITA_CA_KEY_ENCRYPTION_KEY` (its text as UTF-8). Fails with `ca-key/no-encryption-key`, `ca-key/encryption-key-ambiguous`,
 * `ca-key/encryption-key-short`, or a fault of `readPrivateSecret`.
 */
export async function readKeyEncryptionKey(sources: {
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<KeyEncryptionKey> {
  const text = sources.environment[keyEncryptionKeyVariable];
  if (sources.file !== undefined && text !== undefined)
    throw new CodedError(
      "ca-key/encryption-key-ambiguous",
      `the key-encryption key is given twice, by the file \`${sources.file}\` and by \`${keyEncryptionKeyVariable}\`: leave one away`,
    );
  if (sources.file !== undefined)
    return KeyEncryptionKey.of(await readPrivateSecret(sources.file).catch(missing(sources.file)));
  if (text !== undefined) return KeyEncryptionKey.of(Buffer.from(text));
  throw new CodedError(
    "ca-key/no-encryption-key",
    `no key-encryption key: name a file in \`ca.keyEncryptionKeyFile\`, or set \`${keyEncryptionKeyVariable}\``,
  );
}

function missing(file: string): (fault: unknown) => never {
  return (fault) => {
    if (Reflect.get(Object(Reflect.get(Object(fault), "cause")), "code") !== "ENOENT") throw fault;
    throw new CodedError(
      "ca-key/no-encryption-key",
      `the file \`${file}\` of the key-encryption key is not there: for a new authority \`garita ca init --new-key-encryption-key\` makes it`,
      { cause: fault },
    );
  };
}
