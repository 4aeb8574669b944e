import { createHash } from "node:crypto";
import { readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";
import type { Repository } from "./repository.ts";
import type { Revision } from "./settings.ts";

/** The rules that were last in force, as they are kept for a start without Git. */
export interface LastKnownGood {
  readonly bytes: Uint8Array;
  /** Hex SHA-256 of `bytes`. */
  readonly digest: string;
  readonly revision: Revision;
  readonly files: number;
  /** Of the signers whose word the commit was taken on; undefined: no signature was asked for. */
  readonly trust: string | undefined;
}

/** What stands before the bytes, as one line of JSON. */
interface Header extends Omit<LastKnownGood, "bytes"> {
  readonly format: typeof FORMAT;
}

const FORMAT = "garita-last-known-good-2";
const digestDigits = 64;

/**
 * Keeps rules for a start without Git: after a crash the file is the old one or the new one, whole. Layout: hex SHA-256 of the header, a line break, the
 * header, which has that of the bytes, a line break, the bytes. Fails with `output/unwritable`. PERF: requests are answered meanwhile: the bytes are neither copied nor hashed again.
 */
export async function writeLastKnownGood(repository: Repository, rules: LastKnownGood): Promise<void> {
  const { bytes, digest, revision, files, trust } = rules;
  const header: Header = { format: FORMAT, digest, revision, files, trust };
  const line = Buffer.from(JSON.stringify(header));
  await writeWhole(fileOf(repository), [Buffer.from(`${sha256(line)}\n`), line, Buffer.from("\n"), bytes], {
    mode: 0o600,
  });
}

/** Notes that they are still the newest: the time of the file is when they were last found so. */
export async function confirmLastKnownGood(repository: Repository, nowMillis: number): Promise<void> {
  await utimes(fileOf(repository), nowMillis / 1000, nowMillis / 1000);
}

/** What was kept, and when it was last found to be the newest; undefined where nothing was. Fails with `git/last-known-good` for what is not whole. */
export async function readLastKnownGood(
  repository: Repository,
): Promise<{ readonly rules: LastKnownGood; readonly confirmedMillis: number } | undefined> {
  const file = fileOf(repository);
  try {
    const [content, { mtimeMs }] = await Promise.all([readFile(file), stat(file)]);
    const rules = parse(content);
    if (rules !== undefined) return { rules, confirmedMillis: Math.floor(mtimeMs) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CodedError("git/last-known-good", `\`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
  throw new CodedError("git/last-known-good", `\`${file}\` is not whole, and is not used`);
}

function parse(content: Buffer): LastKnownGood | undefined {
  const end = content.indexOf(0x0a, digestDigits + 1);
  if (end < 0) return undefined;
  const line = content.subarray(digestDigits + 1, end);
  if (content.toString("latin1", 0, digestDigits + 1) !== `${sha256(line)}\n`) return undefined;
  // Whoever wrote the digest wrote the header.
  const { format, ...header } = JSON.parse(line.toString("utf8")) as Header;
  const bytes = new Uint8Array(content.subarray(end + 1));
  return format === FORMAT && sha256(bytes) === header.digest ? { ...header, bytes } : undefined;
}

function fileOf({ folder, key }: Repository): string {
  return join(folder, `last-known-good-${key}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
