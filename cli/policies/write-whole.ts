import { open, rename, rm } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";

/**
 * Writes a file whole or not at all: whoever reads it meanwhile gets the old bytes or the new ones, also after a loss of power. Fails
 * with `output/unwritable`; then nothing is left behind.
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    const file = await open(draft, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new CodedError("output/unwritable", `\`${path}\` cannot be written: ${messageOf(cause)}`, { cause });
  }
}
