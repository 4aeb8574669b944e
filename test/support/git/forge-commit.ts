import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestRepository } from "./test-repository.ts";

/** Makes a commit of any bytes the newest of `main`, whatever git would say of it, and tells its name. */
export async function forgeCommit(repository: TestRepository, bytes: string | Uint8Array): Promise<string> {
  const commit = await forgeObject(repository, "commit", bytes);
  await writeFile(join(repository.folder, ".git/refs/heads/main"), `${commit}\n`);
  return commit;
}

/** An object of any bytes; its name. */
export async function forgeObject(
  repository: TestRepository,
  type: "blob" | "tree" | "commit" | "tag",
  bytes: string | Uint8Array,
): Promise<string> {
  const file = join(repository.folder, ".git/forged");
  await writeFile(file, bytes);
  return repository.git("hash-object", "-t", type, "-w", "--literally", file);
}

/** The bytes of a commit, with headers more after its own: `gpgsig …`, lines of one apart as git wants them. */
export async function withHeader(repository: TestRepository, commit: string, header: string): Promise<string> {
  const bytes = await repository.git("cat-file", "commit", commit);
  return `${bytes}\n`.replace("\n\n", () => `\n${header.trimEnd().replaceAll("\n", "\n ")}\n\n`);
}
