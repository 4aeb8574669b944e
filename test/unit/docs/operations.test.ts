import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { decisionReasons } from "#authz/engine/decision";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(root, "docs/operations.md"), "utf8");

/** What is written in the sources, each once, sorted. */
function inSources(folders: readonly string[], pattern: RegExp): readonly string[] {
  const texts = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(join(root, folder, path), "utf8")),
  );
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name!)))].toSorted();
}

const inPage = (pattern: RegExp) => [...new Set([...page.matchAll(pattern)].map(([, found]) => found!))].toSorted();

test("the page about operations has a line for every metric, and for no other", () => {
  const metrics = inSources(["authz", "cli", "identity"], /name: "(garita_[a-z_]+)"/g);
  assert.ok(metrics.length > 10);
  assert.deepEqual(
    inPage(/^\| `(garita_[a-z_]+)(?:\{[a-z_,]+\})?` \| [^|]+\|$/gm).filter((name) => !name.includes("==")),
    metrics,
  );
  for (const name of inPage(/(garita_[a-z_]+)/g)) assert.ok(metrics.includes(name), name);
});

test("the page about operations has a line for every path of the admin API, and curls no other", () => {
  const routes = inSources(["authz/transport/admin"], /^ {2}"((?:GET|POST) \/[^"]+)"/gm);
  assert.ok(routes.length > 5);
  assert.deepEqual(inPage(/^\| `((?:GET|POST) \/[^`]+)`/gm), routes);
  const paths = routes.map((route) => route.split(" ")[1]!);
  const curled = inPage(/^curl .*https?:\/\/[^/\s]+(\/[^\s]*)/gm);
  assert.ok(curled.length > 3);
  for (const path of curled) assert.ok(paths.includes(path), path);
});

test("the page about operations names reasons that there are, and files that are there", () => {
  for (const reason of inPage(/reason="([^"]+)"/g)) assert.ok(Object.hasOwn(decisionReasons, reason), reason);
  for (const link of inPage(/\]\(([^)#]+)[^)]*\)/g)) assert.ok(existsSync(join(root, "docs", link)), link);
});
