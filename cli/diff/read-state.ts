import { stat } from "node:fs/promises";
import { readDirectory } from "#authz/rulesets/read-directory";
import { type CompiledFolder, compileFiles } from "../policies/compile-folder.ts";
import { readRevision } from "../policies/read-revision.ts";
import { UsageFault } from "../usage-fault.ts";

/** One side of a comparison. */
export interface PolicyState {
  /** As the user named it, with the commit of a revision. */
  readonly name: string;
  readonly commit: string | undefined;
  readonly compiled: CompiledFolder;
}

interface StateOptions {
  /** The policy folder that revisions are of. */
  readonly folder: string;
  readonly istioLax: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads and compiles what a text names: a folder where there is one, else a revision; without a text the policy folder as it stands. Fails like `readDirectory` and
 * `readRevision`.
 */
export async function readState(
  text: string | undefined,
  { folder, istioLax, environment }: StateOptions,
): Promise<PolicyState> {
  if (text === undefined || (await isFolder(text))) {
    const name = text ?? folder;
    const files = await readDirectory(name);
    return { name, commit: undefined, compiled: compileFiles(name, files, { istioLax }) };
  }
  const { commit, files, path } = await readRevision(folder, text, environment).catch((fault: unknown) => {
    if (!(fault instanceof UsageFault)) throw fault;
    throw new UsageFault(`\`${text}\` is neither a folder nor a revision: ${fault.message}`, { cause: fault });
  });
  const compiled = compileFiles(path ?? folder, files, { istioLax });
  return { name: text, commit, compiled };
}

/** Also one that is not there: no revision begins like a path. */
async function isFolder(text: string): Promise<boolean> {
  if (/^(?:\.{1,2}$|\.{0,2}\/)/.test(text)) return true;
  const stats = await stat(text).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}
