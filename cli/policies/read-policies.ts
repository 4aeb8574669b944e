import { readDirectory } from "#authz/rulesets/read-directory";
import type { SourceFile } from "#policy-compiler/compile";

export interface ReadOptions {
  /** Undefined: the folder as it stands. */
  readonly asOf?: string | undefined;
  /** Where git is found. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The files of a policy folder, as it stands (fails like `readDirectory`) or as of a revision (fails like `readRevision`). */
export async function readPolicies(folder: string, { asOf, environment }: ReadOptions): Promise<readonly SourceFile[]> {
  if (asOf === undefined) return readDirectory(folder);
  // PERF: what asks git is loaded where a revision is named.
  const { readRevision } = await import("./read-revision.ts");
  return (await readRevision(folder, asOf, environment)).files;
}
