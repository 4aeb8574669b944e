import { createHash } from "node:crypto";
import { readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";
import type { BundleSettings } from "./settings.ts";

/** Where the bundle that was last in force is kept: each address has a file of its own in the folder. */
export function keptFile({ folder, url }: Pick<BundleSettings, "folder" | "url">): string {
  return join(folder, `last-known-good-${createHash("sha256").update(url).digest("hex").slice(0, 16)}.bundle`);
}

/** Keeps a bundle for a start without its server: after a crash the file is the old one or the new one, whole. Fails with `output/unwritable`. */
export async function keepBundle(file: string, bytes: Uint8Array, nowMillis: number): Promise<void> {
  await writeWhole(file, bytes, { mode: 0o600 });
  await confirmKept(file, nowMillis);
}

/** Notes that it is still the newest: the time of the file is when it was last found so. */
export async function confirmKept(file: string, nowMillis: number): Promise<void> {
  await utimes(file, nowMillis / 1000, nowMillis / 1000);
}

/**
 * What was kept, and when it was last found to be the newest; undefined where nothing was. Nothing of it is verified: it is to be opened like a bundle that
 * was fetched. Fails with `bundle/last-known-good`.
 */
export async function readKept(
  file: string,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly confirmedMillis: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(file);
    if (size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    return { bytes: new Uint8Array(await readFile(file)), confirmedMillis: Math.floor(mtimeMs) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CodedError("bundle/last-known-good", `\`${file}\` cannot be used: ${messageOf(cause)}`, { cause });
  }
}
