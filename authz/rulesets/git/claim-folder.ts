import { mkdir, stat } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";

/**
 * Makes the folder of a source where it is missing. One that others may write in, or that is neither of `ownUid` nor root's, is refused: what was kept in it is believed, and its mirror tells git what to run. Fails
 * with `git/mirror`.
 */
export async function claimFolder(folder: string, ownUid = process.getuid?.()): Promise<void> {
  const unusable = (cause: unknown) => {
    throw new CodedError("git/mirror", `the folder of the mirror cannot be made: ${messageOf(cause)}`, { cause });
  };
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unusable);
  const { mode, uid } = await stat(folder).catch(unusable);
  const refuse = (what: string, help: string) => {
    throw new CodedError("git/mirror", `\`${folder}\` ${what}, who could put rules of theirs in it (${help})`);
  };
  if ((mode & 0o022) !== 0) refuse("may be written by others", "`chmod 700`");
  if (ownUid !== undefined && uid !== ownUid && uid !== 0) refuse(`belongs to user ${uid}`, `\`chown ${ownUid}\``);
}
