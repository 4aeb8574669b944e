import { noteKnown, readKnown } from "./fetch-commit.ts";
import { type LockParts, lockFolder } from "./lock-folder.ts";
import type { GitParts, Repository } from "./repository.ts";

/** The newest commit that was taken, which others have to come from, as the mirror tells it: for when the files beside it are damaged. */
export interface KnownCommit {
  /** As it is noted, or was before the mirror was made anew; undefined: no commit is. Fails like `runGit`. */
  read(): Promise<string | undefined>;
  /** Never rejects: the next fetch notes it too, and until then the files tell it. */
  note(commit: string): Promise<void>;
}

/** So long another service is waited for that has the folder to itself. */
const patienceMillis = 1_000;

/** `lock`: of the folder, which is waited for when a commit is noted. */
export function createKnownCommit(
  repository: Repository,
  git: GitParts,
  lock: Omit<LockParts, "patienceMillis">,
): KnownCommit {
  let last: string | undefined;
  return {
    async read() {
      last = (await readKnown(repository, git)) ?? last;
      return last;
    },
    async note(commit) {
      try {
        const release = await lockFolder({ ...lock, patienceMillis });
        await noteKnown(repository, commit, git).finally(release);
      } catch {
        // A mirror that cannot be written is told of by the next fetch.
      }
    },
  };
}
