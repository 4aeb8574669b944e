import { readFile } from "node:fs/promises";

/** The version in the nearest `package.json`: the source tree's, or the one that the build wrote. */
export async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}
