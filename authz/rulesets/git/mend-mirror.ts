import { rename, rm } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import type { Repository } from "./repository.ts";
import { asideOf, restoreMirror } from "./restore-mirror.ts";

/** Faults that a new mirror may not have. What was pushed, and thrown away by who pushed it, is kept for weeks: one of now is smaller. */
const mendable: ReadonlySet<FaultCode> = new Set(["git/mirror", "git/absent", "source/too-large"]);

/** Said by the system, in the language that `git-environment.ts` sets. */
const full = /no space left on device|disk quota exceeded/i;

/**
 * What `take` makes of the mirror, and where that fails by a fault that a new one may not have, what it makes of a new one; `onMend` hears of it before. Where that fails
 * too the mirror was not at fault, but the remote, or who pushes to it: the one of before is put back, except on a full disk, which it may fill. INVARIANT: the caller
 * holds the folder's lock. Fails as these two do, or with `git/mirror`.
 */
export async function mendMirror<T>(
  repository: Repository,
  take: () => Promise<T>,
  onMend: (fault: CodedError) => Promise<void>,
): Promise<T> {
  const { mirror } = repository;
  const aside = asideOf(repository);
  try {
    return await take();
  } catch (fault) {
    if (!(fault instanceof CodedError) || !mendable.has(fault.code)) throw fault;
    await onMend(fault);
    if (full.test(fault.message)) await remove(mirror);
    else await move(mirror, aside);
  }
  let taken: T;
  try {
    taken = await take();
  } catch (fault) {
    await remove(mirror);
    await restoreMirror(repository);
    throw fault;
  }
  await remove(aside);
  return taken;
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(refuse);
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") refuse(cause);
  });
}

function refuse(cause: unknown): never {
  throw new CodedError("git/mirror", `the mirror cannot be made anew: ${messageOf(cause)}`, { cause });
}
