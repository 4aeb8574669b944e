import type { BigIntStats } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CodedError, messageOf } from "#platform/coded-error";
import type { SourceFile } from "#policy-compiler/compile";

/** Beyond these a folder is not read. They are far above what policies need, and keep a mistaken path from filling the memory. */
export interface DirectoryLimits {
  /** Policy files; folders, each link to one counted, as many again. */
  readonly files: number;
  readonly totalSizeBytes: number;
  readonly depth: number;
}

export const directoryLimits: DirectoryLimits = { files: 100_000, totalSizeBytes: 1024 ** 3, depth: 32 };

/** How often, and how far apart, a folder that changes while it is read is read again. */
const attempts = 20;
const pauseMillis = 25;

/**
 * Reads the policy files of a folder, as they were at one moment: what changes while it is read is read again. Files are those
 * named `.yaml`, `.yml` or `.json`, at any depth, sorted by path; hidden files and folders, and what editors leave behind, are
 * passed over. Links are followed inside the folder and refused when they lead out of it.
 * Fails with `source/missing`, `source/unreadable`, `source/escape`, `source/too-large` or `source/unstable`.
 */
export async function readDirectory(root: string, limits: DirectoryLimits = directoryLimits): Promise<SourceFile[]> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await listDirectory(root, limits);
    const files = await readAll(before);
    if (files !== undefined && (await listDirectory(root, limits)).fingerprint === before.fingerprint) return files;
    await pause(pauseMillis);
  }
  throw new CodedError("source/unstable", `the folder \`${root}\` keeps changing while it is read`);
}

/** What a folder holds, and a text that differs when a file's place, size, time or identity does. */
export interface Listing {
  readonly files: readonly { readonly path: string; readonly absolute: string }[];
  readonly fingerprint: string;
}

/** Lists the policy files of a folder without reading them. Fails like `readDirectory`. */
export async function listDirectory(root: string, limits: DirectoryLimits = directoryLimits): Promise<Listing> {
  const missing = (cause: unknown) => {
    throw new CodedError("source/missing", `the folder \`${root}\` cannot be opened: ${messageOf(cause)}`, { cause });
  };
  const realRoot = await realpath(root).catch(missing);
  const stats = await stat(realRoot).catch(missing);
  if (!stats.isDirectory()) throw new CodedError("source/missing", `\`${root}\` is not a folder`);
  const walk = new Walk(realRoot, limits);
  try {
    await walk.folder(realRoot, "", [realRoot]);
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError("source/unreadable", `the folder \`${root}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
  return walk.listing();
}

class Walk {
  readonly #root: string;
  readonly #limits: DirectoryLimits;
  readonly #files: { readonly path: string; readonly absolute: string; readonly mark: string }[] = [];
  #sizeBytes = 0n;
  #folders = 0;

  constructor(root: string, limits: DirectoryLimits) {
    this.#root = root;
    this.#limits = limits;
  }

  async folder(absolute: string, relative: string, ancestors: readonly string[]): Promise<void> {
    if (ancestors.length > this.#limits.depth) {
      throw new CodedError("source/too-large", `\`${relative}\` lies deeper than ${this.#limits.depth} folders`);
    }
    // Links between folders make few of them look like very many.
    if (++this.#folders > this.#limits.files) {
      throw new CodedError("source/too-large", `the folder holds more than ${this.#limits.files} folders`);
    }
    const entries = await readdir(absolute, { withFileTypes: true });
    for (const entry of entries) {
      if (isLeftOver(entry.name)) continue;
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      const place = join(absolute, entry.name);
      if (entry.isSymbolicLink()) await this.#link(place, path, ancestors);
      else if (entry.isDirectory()) await this.folder(place, path, [...ancestors, place]);
      else if (entry.isFile() && isPolicyFile(entry.name)) this.#add(place, path, await stat(place, { bigint: true }));
    }
  }

  listing(): Listing {
    const files = this.#files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    return { files, fingerprint: files.map(({ path, mark }) => `${path}\0${mark}`).join("\0") };
  }

  async #link(place: string, path: string, ancestors: readonly string[]): Promise<void> {
    const target = await realpath(place).catch(() => undefined);
    // A link to nothing is how an editor's lock file looks, and how an atomic exchange looks halfway.
    if (target === undefined) return;
    const stats = await stat(target, { bigint: true });
    if (!stats.isDirectory() && !isPolicyFile(path)) return;
    if (target !== this.#root && !target.startsWith(this.#root + sep)) {
      throw new CodedError("source/escape", `the link \`${path}\` leads out of the policy folder`);
    }
    // Opening anything else (a pipe) could wait for ever.
    if (stats.isFile()) this.#add(target, path, stats);
    else if (stats.isDirectory() && !ancestors.includes(target))
      await this.folder(target, path, [...ancestors, target]);
  }

  #add(absolute: string, path: string, stats: BigIntStats): void {
    this.#sizeBytes += stats.size;
    if (this.#files.length >= this.#limits.files || this.#sizeBytes > BigInt(this.#limits.totalSizeBytes)) {
      const { files, totalSizeBytes } = this.#limits;
      throw new CodedError("source/too-large", `the folder holds more than ${files} files or ${totalSizeBytes} bytes`);
    }
    const mark = `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    this.#files.push({ absolute, path, mark });
  }
}

/** How many files are open at a time. */
const parallel = 32;

/** Undefined: a file has gone since it was listed. */
async function readAll(listing: Listing): Promise<SourceFile[] | undefined> {
  const out = new Array<SourceFile>(listing.files.length);
  let next = 0;
  let gone = false;
  const worker = async () => {
    while (next < listing.files.length && !gone) {
      const i = next++;
      const { path, absolute } = listing.files[i]!;
      try {
        out[i] = { path, bytes: await readFile(absolute) };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
          throw new CodedError("source/unreadable", `\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
        }
        gone = true;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return gone ? undefined : out;
}

/** Does a file of this name or path hold policies? */
export function isPolicyFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name);
}

/** Hidden files and folders, and the swap and backup files of editors (`#a.yaml#`, `a.yaml~`). */
export function isLeftOver(name: string): boolean {
  return name.startsWith(".") || name.startsWith("#") || name.endsWith("~");
}
