import { CodedError } from "#platform/coded-error";
import { readPrivateSecret } from "#platform/secret";
import type { GitCredentials } from "./settings.ts";

/**
 * Looks at the file of the token, where there is one: git's helper reads it itself, and would not look at its mode. Fails with `git/argument` for more than one line, or as
 * `readPrivateSecret` does.
 */
export async function checkToken({ tokenFile }: GitCredentials): Promise<void> {
  if (tokenFile === undefined) return;
  const token = await readPrivateSecret(tokenFile);
  if (token.some((byte) => byte < 0x20 || byte === 0x7f))
    throw new CodedError("git/argument", `the token \`${tokenFile}\` has more than one line, or a control character`);
}
