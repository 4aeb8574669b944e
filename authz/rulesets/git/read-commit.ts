import { createHash } from "node:crypto";
import { posix } from "node:path";
import { CodedError } from "#platform/coded-error";
import type { SourceFile } from "#policy-compiler/compile";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { directoryLimits, isLeftOver, isPolicyFile } from "../read-directory.ts";
import { withoutRemote } from "./git-environment.ts";
import { type GitParts, placeText, type Repository, readGit, runGit } from "./repository.ts";

interface Entry {
  readonly mode: string;
  readonly object: string;
  /** From the policy folder. */
  readonly path: string;
}

/** gitdatamodel(7): the modes of tree entries. */
const FOLDER = "040000";
const LINK = "120000";
const SUBMODULE = "160000";

/** A listing of so many bytes is more than `directoryLimits.files` entries need. */
const listingBytes = 64 * 1024 * 1024;

/**
 * The policy files of a commit, with the names that a folder's would have. Everything that would silently lack in the rules is refused: a link that is a policy
 * file or leads to a folder, a submodule, a pointer of LFS; and so is a name that is there twice. Each file is compared with its name in Git. Fails with `git/path`,
 * `git/entry`, `git/absent`, `source/too-large`, or `git/mirror` where an object is damaged.
 */
export async function readCommit(repository: Repository, commit: string, parts: GitParts): Promise<SourceFile[]> {
  const entries = await listTree(repository, commit, parts);
  const links = entries.filter(({ mode }) => mode === LINK);
  const files = entries.filter(({ mode, path }) => mode !== LINK && mode !== SUBMODULE && isPolicyFile(path));
  refuseOdd(entries);
  if (files.length > directoryLimits.files) {
    throw new CodedError("source/too-large", `the commit holds more than ${directoryLimits.files} policy files`);
  }
  const objects = await readObjects(repository, [...files, ...links], parts);
  refuseLinkedFolders(entries, links, objects);
  return files
    .map(({ path, object }) => ({ path, bytes: objects.get(object)! }))
    .map(refusePointer)
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function listTree(repository: Repository, commit: string, parts: GitParts): Promise<readonly Entry[]> {
  const { path } = repository;
  if (path !== "") {
    const args = ["cat-file", "--batch-check"];
    const told = (await readGit(repository, { ...parts, args, input: `${commit}:${path}\n` })).toString("utf8");
    if (!/^[0-9a-f]+ tree \d+\n$/.test(told))
      throw new CodedError("git/path", `the commit ${commit} has no folder \`${path}\``);
  }
  const args = ["ls-tree", "-r", "-t", "-z", "--full-tree", `${commit}:${path}`];
  const listing = await readGit(repository, { ...parts, args, maxOutputBytes: listingBytes });
  const lines = listing
    .toString("latin1")
    .split("\0")
    .filter((line) => line !== "");
  return refuseTwins(lines.map(readEntry)).filter(
    ({ mode, path }) => mode !== FOLDER && !path.split("/").some(isLeftOver),
  );
}

function readEntry(line: string): Entry & { readonly name: string } {
  const tab = line.indexOf("\t");
  const [mode = "", , object = ""] = line.slice(0, tab).split(" ");
  const name = line.slice(tab + 1);
  return { mode, object, name, path: Buffer.from(name, "latin1").toString("utf8") };
}

/** A tree that git would not have made: work trees and web pages show one of two files, or folders, of a name. */
function refuseTwins<E extends Entry & { readonly name: string }>(entries: readonly E[]): readonly E[] {
  const names = new Set<string>();
  for (const { name, path } of entries) {
    if (names.size === names.add(name).size) throw odd(path, "is there twice");
  }
  return entries;
}

function refuseOdd(entries: readonly Entry[]): void {
  for (const { mode, path } of entries) {
    if (mode === SUBMODULE) throw odd(path, "is a submodule, whose files are not read");
    if (mode === LINK && isPolicyFile(path)) throw odd(path, "is a link: put the file itself in its place");
  }
}

function refuseLinkedFolders(
  entries: readonly Entry[],
  links: readonly Entry[],
  objects: ReadonlyMap<string, Uint8Array>,
): void {
  if (links.length === 0) return;
  const folders = new Set(entries.flatMap(({ path }) => foldersOf(path)));
  for (const { path, object } of links) {
    const target = posix.join(posix.dirname(path), Buffer.from(objects.get(object)!).toString("utf8"));
    const plain = target.replace(/\/+$/, "");
    if (folders.has(plain) || plain === "." || plain.startsWith("..")) {
      throw odd(path, "is a link to a folder, whose files are not read through it");
    }
  }
}

function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: what stands in the place of a file that LFS keeps. */
const pointer = "version https://git-lfs.github.com/spec/";

function refusePointer(file: SourceFile): SourceFile {
  if (Buffer.from(file.bytes.subarray(0, pointer.length)).toString("latin1") === pointer) {
    throw odd(file.path, "is kept by LFS, which is not asked");
  }
  return file;
}

function odd(path: string, what: string): CodedError {
  return new CodedError("git/entry", `\`${path}\` ${what}`);
}

/** git-cat-file(1), BATCH OUTPUT: `object type size`, a line break, the bytes, a line break; or `object missing`. */
async function readObjects(
  repository: Repository,
  entries: readonly Entry[],
  parts: GitParts,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = new Map(entries.map(({ object, path }) => [object, path]));
  const input = [...wanted.keys()].map((object) => `${object}\n`).join("");
  const maxOutputBytes = yamlLimits.folderBytes + entries.length * 128;
  const environment = withoutRemote(repository.environment);
  const args = ["cat-file", "--batch"];
  const place = placeText(repository);
  const { status, output, told } = await runGit(repository, { ...parts, args, environment, input, maxOutputBytes });
  if (status !== 0) {
    const unsent = wanted.get(/could not fetch ([0-9a-f]+)/.exec(told)?.[1] ?? "");
    if (unsent !== undefined) throw absent(repository, unsent);
    throw new CodedError("git/mirror", `${place} cannot be read: ${told}`);
  }
  const found = new Map<string, Uint8Array>();
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(0x0a, at);
    const [object = "", type, size] = output.toString("latin1", at, end).split(" ");
    const path = wanted.get(object) ?? object;
    if (type === "missing") throw absent(repository, path);
    const bytes = output.subarray(end + 1, end + 1 + Number(size));
    if (nameOf(bytes, object.length) !== object) {
      throw new CodedError("git/mirror", `\`${path}\` is damaged in ${place}`);
    }
    found.set(object, bytes);
    at = end + 2 + Number(size);
  }
  const lacking = [...wanted].find(([object]) => !found.has(object));
  if (lacking !== undefined) throw new CodedError("git/mirror", `${place} did not give \`${lacking[1]}\``);
  return found;
}

/** The filter of our fetch leaves away what no policy file may be. Damage looks alike, and is mended by fetching anew. */
function absent(repository: Repository, path: string): CodedError {
  const why =
    repository.kind === "mirror"
      ? `was not sent: a policy file has at most ${yamlLimits.fileBytes} bytes`
      : `is not in ${placeText(repository)}: it was cloned without it, or is damaged`;
  return new CodedError("git/absent", `\`${path}\` ${why}`);
}

/** The name that Git gives to a file's bytes: the digest is told by the length of the names. */
function nameOf(bytes: Uint8Array, digits: number): string {
  const hash = createHash(digits === 40 ? "sha1" : "sha256");
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
