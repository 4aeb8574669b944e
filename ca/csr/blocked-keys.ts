import { readFile } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";

/**
 * Reads a list of keys that nobody may have: one SHA-256 of a SubjectPublicKeyInfo in hex a line; blank lines and what follows `#` are passed over. Fails with
 * `ca-key/blocked-list` for a file that cannot be read or a line that is anything else: a list that is only half understood would let keys in.
 */
export async function readBlockedKeys(file: string): Promise<ReadonlySet<string>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new CodedError("ca-key/blocked-list", `the list of blocked keys cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  const keys = new Set<string>();
  for (const [i, line] of text.split("\n").entries()) {
    const entry = line.split("#", 1)[0]!.trim().toLowerCase();
    if (entry === "") continue;
    if (!/^[0-9a-f]{64}$/.test(entry))
      throw new CodedError("ca-key/blocked-list", `line ${i + 1} of \`${file}\`: expected 64 hexadecimal digits`);
    keys.add(entry);
  }
  return keys;
}
