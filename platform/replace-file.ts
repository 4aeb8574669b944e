import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file, or makes it: whoever reads it meanwhile, or after a loss of power, finds the old bytes or the new ones, whole, and once this resolves the new ones. `mode` is that of the new
 * file, less what the system takes away (`umask`). Rejects with the system's error; then nothing is left behind. Not for two writers of one file at a time.
 */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const draft = `${path}.part`;
  // What a killed program left behind may have another mode.
  await rm(draft, { force: true });
  try {
    const file = await open(draft, "wx", mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (fault) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw fault;
  }
  await syncFolder(dirname(path));
}

/** Makes what was renamed or removed in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
