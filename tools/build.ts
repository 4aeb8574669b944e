/**
 * `npm run build`: emits the publishable JavaScript and types into `dist/`, with the files that the program reads at run time beside
 * them and a `dist/package.json` whose import map points at the emitted `.js`: Node and tsc take the nearest package.json.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const out = join(root, "dist");

/** What the emitted program opens by its own path. */
const assets = ["platform/envoy-api/envoy.binpb", "docs/garita.schema.json"];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly imports: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
rmSync(out, { recursive: true, force: true });
execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });

const notPublished = ["#test/*", "#bench/*", "#tools/*"];
const imports = Object.fromEntries(
  Object.entries(manifest.imports)
    .filter(([name]) => !notPublished.includes(name))
    .map(([name, target]) => [name, target.replace(/\.ts$/, ".js")]),
);
const { name, version, type } = manifest;
writeFileSync(join(out, "package.json"), `${JSON.stringify({ name, version, type, imports }, undefined, 2)}\n`);
for (const asset of assets) {
  mkdirSync(dirname(join(out, asset)), { recursive: true });
  cpSync(join(root, asset), join(out, asset));
}
