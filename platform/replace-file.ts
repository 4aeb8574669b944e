import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** How the new bytes get to their place. */
export interface ReplaceOptions {
  /** Where they are written first, in the same folder; whatever is there is removed. */
  readonly draft: string;
  readonly place: (draft: string, path: string) => Promise<void>;
}

/**
 * Replaces a file, or makes it: whoever reads it meanwhile, or after a loss of power, finds the old bytes or the new ones, whole, and once this resolves the new ones. `bytes` of several pieces are those one after the other. `mode` is that of the new
 * file, less what the system takes away (`umask`). Rejects with the system's error; then nothing is left behind. Two writers of one file at a time need drafts of their own.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | readonly Uint8Array[],
  mode: number,
  // One name for each file: a killed program leaves one behind at most.
  { draft, place }: ReplaceOptions = { draft: `${path}.part`, place: rename },
): Promise<void> {
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
    await place(draft, path);
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
