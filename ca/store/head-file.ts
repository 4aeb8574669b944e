import { readFile } from "node:fs/promises";
import type { AuditHead } from "#ca/store/contract";
import { CodedError, messageOf } from "#platform/coded-error";
import { replaceFile } from "#platform/replace-file";

/** Where the newest head of a database stands: in a file beside it. */
export function headFileOf(databaseFile: string): string {
  return `${databaseFile}.head`;
}

/** Replaces the file of the newest head, mode 0600: after a crash it is the old one or the new one, whole. */
export async function writeHeadFile(file: string, head: AuditHead): Promise<void> {
  const { signature, ...members } = head;
  const text = JSON.stringify({ ...members, signature: Buffer.from(signature).toString("base64") }, undefined, 2);
  await replaceFile(file, Buffer.from(`${text}\n`), 0o600);
}

/** The head that the file holds; undefined where there is no file. Its signature is not looked at. Fails with `ca-store/damaged`. */
export async function readHeadFile(file: string): Promise<AuditHead | undefined> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    if (Reflect.get(Object(cause), "code") === "ENOENT") return undefined;
    throw unreadable(file, messageOf(cause), cause);
  });
  if (text === undefined) return undefined;
  const head = parse(text);
  if (head === undefined) throw unreadable(file, "it is no head of an audit log");
  return head;
}

function parse(text: string): AuditHead | undefined {
  let read: Record<string, unknown>;
  try {
    read = Object(JSON.parse(text));
  } catch {
    // The caller says which file it is.
    return undefined;
  }
  const { number, hash, atMillis, generation, auditKeyId, signature } = read;
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(atMillis) || !Number.isSafeInteger(generation)) return;
  if (typeof hash !== "string" || typeof auditKeyId !== "string" || typeof signature !== "string") return undefined;
  const bytes = new Uint8Array(Buffer.from(signature, "base64"));
  return { hash, auditKeyId, signature: bytes, ...({ number, atMillis, generation } as NumbersOfHead) };
}

type NumbersOfHead = Pick<AuditHead, "number" | "atMillis" | "generation">;

function unreadable(file: string, why: string, cause?: unknown): CodedError {
  return new CodedError("ca-store/damaged", `the head of the audit log \`${file}\` cannot be read: ${why}`, { cause });
}
