import { claimFolder } from "./claim-folder.ts";
import { type LockParts, lockFolder } from "./lock-folder.ts";
import type { Repository } from "./repository.ts";
import { restoreMirror } from "./restore-mirror.ts";

/** What `work` makes with the folder to itself, and the mirror in its place. Fails as `work` does, with `git/locked` or `git/mirror`. */
export async function withFolder<T>(repository: Repository, lock: LockParts, work: () => Promise<T>): Promise<T> {
  await claimFolder(repository.folder);
  const release = await lockFolder(lock);
  try {
    // ORDER: before it is asked what it has noted.
    await restoreMirror(repository);
    return await work();
  } finally {
    release();
  }
}
