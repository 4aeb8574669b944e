/**
 * `npm run build`: emits the publishable JavaScript and types into `dist/`, with the files that the program reads at run time beside
 * them and a `dist/package.json` whose import map points at the emitted `.js`: Node and tsc take the nearest package.json.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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
await bundleProgram();
for (const asset of assets) {
  mkdirSync(dirname(join(out, asset)), { recursive: true });
  cpSync(join(root, asset), join(out, asset));
}

/**
 * The program in few files under `dist/bin/`: reading hundreds of small ones takes a third of its start-up time. Packages stay outside, and every module is in it
 * once. A module that asks where it stands is told where it stands in `dist/`, where its neighbours are.
 */
async function bundleProgram(): Promise<void> {
  const bin = join(out, "bin");
  await build({
    entryPoints: { garita: join(out, "cli/main.js") },
    outdir: bin,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    logLevel: "warning",
    plugins: [
      {
        name: "packages-outside-places-inside",
        setup({ onLoad, onResolve }) {
          onResolve({ filter: /^[^.#/]/ }, ({ path, kind }) =>
            kind === "entry-point" ? undefined : { path, external: true },
          );
          onLoad({ filter: /\.js$/ }, ({ path }) => {
            const place = `new URL(${JSON.stringify(posix(relative(bin, path)))}, import.meta.url).href`;
            return { contents: readFileSync(path, "utf8").replaceAll("import.meta.url", place), loader: "js" };
          });
        },
      },
    ],
  });
}

function posix(path: string): string {
  return path.split(sep).join("/");
}
