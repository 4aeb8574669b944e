import { readDirectory } from "#authz/rulesets/read-directory";
import type { SourceFile } from "#policy-compiler/compile";

export interface ReadOptions {
  /** Undefined: the folder as it stands. */
  readonly asOf?: string | undefined;
  /** Where git is found. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `commit`: which one a revision named. */
export interface PolicyFiles {
  readonly files: readonly SourceFile[];
  readonly commit?: string;
}

/** The files of a policy folder, as it stands (fails like `readDirectory`) or as of a revision (fails like `readRevision`). */
export async function readPolicies(folder: string, { asOf, environment }: ReadOptions): Promise<PolicyFiles> {
  if (asOf === undefined) return { files: await readDirectory(folder) };
  // PERF: what asks git is loaded where a revision is named.
  const { readRevision } = await import("./read-revision.ts");
  return readRevision(folder, asOf, environment);
}
