import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, with a trailing slash. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Every TypeScript file that git knows or would add, relative to the root, generated code left out. */
export function sourceFiles(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"], { cwd: root });
  const gone = execFileSync("git", ["ls-files", "--deleted", "*.ts"], { cwd: root }).toString().split("\n");
  return listed
    .toString()
    .split("\n")
    .filter((path) => path !== "" && !path.includes("/gen/") && !gone.includes(path))
    .sort();
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Blanks comments out, keeps every offset and the strings. */
export function withoutComments(text: string): string {
  let out = "";
  let i = 0;
  const blank = (end: number) => {
    out += text.slice(i, end).replace(/[^\n]/g, " ");
    i = end;
  };
  while (i < text.length) {
    const two = text.slice(i, i + 2);
    const char = text[i]!;
    if (two === "//") {
      const end = text.indexOf("\n", i);
      blank(end < 0 ? text.length : end);
    } else if (two === "/*") {
      const end = text.indexOf("*/", i + 2);
      blank(end < 0 ? text.length : end + 2);
    } else if (char === '"' || char === "'" || char === "`") {
      let end = i + 1;
      while (end < text.length && text[end] !== char) end += text[end] === "\\" ? 2 : 1;
      out += text.slice(i, end + 1);
      i = end + 1;
    } else {
      out += char;
      i += 1;
    }
  }
  return out;
}

export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** For imports of our own: the file, relative to the root; else undefined. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
}

const importPattern =
  /(?:^|[\n;])\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;

/** Static, dynamic and re-exporting imports of one file. */
export function importsOf(path: string): readonly Import[] {
  const found: Import[] = [];
  for (const match of withoutComments(readSource(path)).matchAll(importPattern)) {
    const specifier = match[2] ?? match[3] ?? "";
    found.push({ from: path, specifier, target: resolveSpecifier(path, specifier), typeOnly: match[1] !== undefined });
  }
  return found;
}

function resolveSpecifier(path: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `${specifier.slice(1)}.ts`;
  if (specifier.startsWith(".")) return posix.join(dirname(path), specifier);
  return undefined;
}
