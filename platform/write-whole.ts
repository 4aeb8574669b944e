import { randomUUID } from "node:crypto";
import { link, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "./coded-error.ts";
import { replaceFile } from "./replace-file.ts";

export interface WriteOptions {
  /** File mode; what the system takes away of it (`umask`) is taken. */
  readonly mode?: number;
  /** Fail where the file is there already. */
  readonly keepExisting?: boolean;
}

/**
 * `replaceFile` for files that several programs may write at a time. Fails with `output/unwritable`, or `output/exists` under `keepExisting`; then nothing is left
 * behind.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | readonly Uint8Array[],
  options: WriteOptions = {},
): Promise<void> {
  // No number of the process: in a container it is the same after every start, and what a crash left behind would be in the way.
  const draft = `${path}.${randomUUID()}.part`;
  // A rename would put a device or a pipe away for the file.
  const found = options.keepExisting === true ? undefined : await stat(path).catch(() => undefined);
  if (found?.isFile() === false)
    throw new CodedError("output/unwritable", `\`${path}\` cannot be written: it is there, and no file`);
  const place = options.keepExisting === true ? linkNew : rename;
  try {
    await replaceFile(path, bytes, options.mode ?? 0o666, { draft, place });
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError("output/unwritable", `\`${path}\` cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** How a draft's name ends. */
const draftEnding = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;
/** No writer takes so long. */
const longestWriteMillis = 3_600_000;

/** Takes away what writers that were killed have left behind in a folder. What cannot be taken away stays. */
export async function sweepDrafts(folder: string, nowMillis: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const draft of names.filter((name) => draftEnding.test(name)).map((name) => join(folder, name))) {
    const found = await stat(draft).catch(() => undefined);
    if (found !== undefined && nowMillis - found.mtimeMs > longestWriteMillis)
      await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** A link, where `rename` would go over what another program wrote in the meantime. */
async function linkNew(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new CodedError("output/exists", `\`${path}\` is there already`, { cause });
  }
  await rm(draft);
}
