import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { CodedError, messageOf } from "./coded-error.ts";

/**
 * Are two secrets equal? The time it takes tells nothing about where they differ, nor about the length of the expected one.
 */
export function secretsEqual(expected: Uint8Array, presented: Uint8Array): boolean {
  return timingSafeEqual(digest(expected), digest(presented));
}

/**
 * Reads a secret from a file: its bytes without the line break at the end. An empty secret is refused, for it would let
 * everybody in.
 */
export async function readSecret(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CodedError("secret/unreadable", `cannot read the secret \`${path}\`: ${messageOf(cause)}`, { cause });
  });
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  if (end === 0) throw new CodedError("secret/empty", `the secret \`${path}\` is empty`);
  return new Uint8Array(bytes.subarray(0, end));
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
