import { createHash, timingSafeEqual } from "node:crypto";

/** The name under which an asking Envoy presents the listener's secret. */
export const SECRET_NAME = "x-garita-secret";

/**
 * Did the caller present the secret, once? Compared in constant time, whatever its length. True where the listener has none.
 * `presented`: every value sent, as byte strings.
 */
export function presentsSecret(secret: Uint8Array | undefined, presented: readonly string[]): boolean {
  if (secret === undefined) return true;
  const [value, ...more] = presented;
  const same = timingSafeEqual(digest(secret), digest(Buffer.from(value ?? "", "latin1")));
  return same && value !== undefined && more.length === 0 && secret.length > 0;
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
