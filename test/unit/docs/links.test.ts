import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const notOurs = new Set(["node_modules", "dist", ".git", ".cache"]);

/** Every page of the repository, from its root. */
function pages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : pages(path);
    return entry.name.endsWith(".md") ? [relative(root, path)] : [];
  });
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): readonly string[] {
  const headings = readFileSync(join(root, page), "utf8").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** What a page's links into the repository do not find. */
function broken(page: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
}

test("every link of every page leads to a file that is there, and to a heading that it has", () => {
  const all = pages(root);
  assert.ok(all.includes("README.md") && all.includes(join("docs", "jwt.md")));
  const links = all.flatMap((page) =>
    broken(page, readFileSync(join(root, page), "utf8")).map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(links, []);
});

for (const link of ["docs/no-such-page.md", "docs/jwt.md#no-such-heading", "#no-such-heading"]) {
  test(`a link that leads nowhere is seen: ${link}`, () =>
    assert.deepEqual(broken("README.md", `[a](${link})`), [link]));
}
