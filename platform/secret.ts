import { createHash, timingSafeEqual } from "node:crypto";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
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
  return withoutLineBreak(await readFile(path).catch(unreadable(path)), path);
}

/**
 * As `readSecret`, for a secret that nobody but its owner may read. Links are followed; what they lead to must be a file of at most 64 KiB that is
 * owned by `ownUid` or root, and that neither its group nor others can read or write: else `secret/exposed`. The file that was checked is
 * the one that is read. A file of root's in the folder of credentials (systemd.exec(5), `LoadCredential=`) may show rights of a group: of its access control list, which names
 * the service's user alone.
 */
export async function readPrivateSecret(
  path: string,
  ownUid = process.getuid?.(),
  credentialsFolder = process.env["CREDENTIALS_DIRECTORY"],
): Promise<Uint8Array> {
  const file = await open(path).catch(unreadable(path));
  try {
    await demandPrivate(file, path, ownUid, dirname(path) === credentialsFolder);
    return withoutLineBreak(await file.readFile().catch(unreadable(path)), path);
  } finally {
    await file.close();
  }
}

const largestPrivateSecretBytes = 64 * 1024;

async function demandPrivate(
  file: FileHandle,
  path: string,
  ownUid: number | undefined,
  isCredential: boolean,
): Promise<void> {
  const found = await file.stat();
  const name = `the secret \`${path}\``;
  if (!found.isFile()) throw new CodedError("secret/unreadable", `${name} is no file`);
  if (found.size > largestPrivateSecretBytes)
    throw new CodedError(
      "secret/unreadable",
      `${name} has ${found.size} bytes: at most ${largestPrivateSecretBytes} are read`,
    );
  if (ownUid === undefined) return;
  if (found.uid !== ownUid && found.uid !== 0)
    throw new CodedError("secret/exposed", `${name} belongs to user ${found.uid}: expected ${ownUid} or root`);
  const mode = found.mode & 0o777;
  const tooMuch = isCredential && found.uid === 0 ? 0o037 : 0o077;
  if ((mode & tooMuch) !== 0)
    throw new CodedError(
      "secret/exposed",
      `${name} has the mode 0${mode.toString(8)}: expected 0600 or less (\`chmod 600\`)`,
    );
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new CodedError("secret/unreadable", `cannot read the secret \`${path}\`: ${messageOf(cause)}`, { cause });
  };
}

function withoutLineBreak(bytes: Uint8Array, path: string): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  if (end === 0) throw new CodedError("secret/empty", `the secret \`${path}\` is empty`);
  return new Uint8Array(bytes.subarray(0, end));
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
