import { mkdir, stat } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";

/**
 * Makes the folder of a source where it is missing. One that others may write in is refused: what was kept in it is believed, and its mirror tells git what to run. Fails
 * with `git/mirror`.
 */
export async function claimFolder(folder: string): Promise<void> {
  const unusable = (cause: unknown) => {
    throw new CodedError("git/mirror", `the folder of the mirror cannot be made: ${messageOf(cause)}`, { cause });
  };
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unusable);
  const { mode } = await stat(folder).catch(unusable);
  if ((mode & 0o022) === 0) return;
  throw new CodedError(
    "git/mirror",
    `\`${folder}\` may be written by others, who could put rules of theirs in it (\`chmod 700\`)`,
  );
}
