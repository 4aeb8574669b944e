import { access, rename, rm } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Repository } from "./repository.ts";

/** Where a mirror stands while another is made in its place. */
export function asideOf({ mirror }: Repository): string {
  return `${mirror}.before`;
}

/**
 * Puts the mirror back that stands aside, in the place of one that did not become whole; does nothing where none does. What it has noted of the newest commit that was taken
 * is in no other. INVARIANT: the caller holds the folder's lock. Fails with `git/mirror`.
 */
export async function restoreMirror(repository: Repository): Promise<void> {
  const { mirror } = repository;
  const aside = asideOf(repository);
  try {
    await access(aside);
    await rm(mirror, { recursive: true, force: true, maxRetries: 3 });
    await rename(aside, mirror);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new CodedError("git/mirror", `the mirror of before cannot be put back: ${messageOf(cause)}`, { cause });
  }
}
