import { LRUCache } from "lru-cache";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { CsrFault } from "./contract.ts";
import { type RsaWeakness, rsaWeakness } from "./rsa-weakness.ts";

export interface KeyPolicyOptions {
  /** SHA-256 of SubjectPublicKeyInfo, hex in lower case: keys that are known to others (see `readBlockedKeys`). */
  readonly blockedKeys: ReadonlySet<string>;
  /** For so many RSA keys the verdict is remembered; about 300 bytes each. */
  readonly rememberedKeys: number;
}

/**
 * Which keys of the five shapes get no certificate all the same: those that are blocked, and RSA keys that are weak. Remembers what it found, by the key's hash, so that a
 * renewal with the same key costs nothing.
 */
export class KeyPolicy {
  readonly #blockedKeys: ReadonlySet<string>;
  readonly #verdicts: LRUCache<string, RsaWeakness | "none">;

  constructor({ blockedKeys, rememberedKeys }: KeyPolicyOptions) {
    this.#blockedKeys = blockedKeys;
    this.#verdicts = new LRUCache({ max: rememberedKeys });
  }

  /** Undefined: nothing against it. Whether an elliptic point is on its curve is seen when the key is imported. Never throws. */
  fault(key: SubjectPublicKey): CsrFault | undefined {
    if (this.#blockedKeys.has(key.hash))
      return { code: "key/blocked", message: `the key with the SHA-256 ${key.hash} is on the list of blocked keys` };
    if (!key.kind.startsWith("RSA")) return undefined;
    const weakness = this.#weaknessOf(key);
    return weakness === "none" ? undefined : { code: "key/weak", message: weaknessMessages[weakness] };
  }

  #weaknessOf(key: SubjectPublicKey): RsaWeakness | "none" {
    const known = this.#verdicts.get(key.hash);
    if (known !== undefined) return known;
    const verdict = rsaWeakness(modulusOf(key)) ?? "none";
    this.#verdicts.set(key.hash, verdict);
    return verdict;
  }
}

const weaknessMessages: Readonly<Record<RsaWeakness, string>> = {
  "small-factor": "expected a modulus of two large primes, found one with a factor below 752",
  "close-primes": "expected primes far from each other, found that Fermat's method factors the modulus",
  roca: "expected primes drawn at random, found the fingerprint of CVE-2017-15361 (ROCA)",
};

/** Behind 33 bytes of prefix and before the five of the exponent, in every RSA shape. */
function modulusOf(key: SubjectPublicKey): bigint {
  const { spkiDer } = key;
  const hex = Buffer.from(spkiDer.buffer, spkiDer.byteOffset + 33, spkiDer.byteLength - 33 - 5).toString("hex");
  return BigInt(`0x${hex}`);
}
