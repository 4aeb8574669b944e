import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, readSource, sourceFiles, withoutComments } from "./source-tree.ts";

const pureFolders = ["policy-compiler/", "authz/engine/", "authz/authenticate/"];
const portableFolders = [...pureFolders, "identity/", "authz/edge/"];
const product = sourceFiles().filter((path) => !/^(test|bench|tools)\//.test(path));

/** Code of a file without comments and without the text of its strings, so that messages may say any word. */
function code(path: string): string {
  return withoutComments(readSource(path)).replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

function offences(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    code(path)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
}

const inFolders = (folders: readonly string[]) => product.filter((path) => folders.some((f) => path.startsWith(f)));

test("pure folders use no Node module and no package that needs one", () => {
  const packages = new Set(["yaml", "re2js", "@marcbachmann/cel-js", "@marcbachmann/cel-js/evaluator"]);
  const broken = inFolders(pureFolders).flatMap((path) =>
    importsOf(path)
      .filter(({ target, specifier }) => target === undefined && !packages.has(specifier))
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
  assert.deepEqual(broken, []);
});

test("portable folders import no Node module", () => {
  const broken = inFolders(portableFolders).flatMap((path) =>
    importsOf(path)
      .filter(({ specifier }) => specifier.startsWith("node:"))
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
  assert.deepEqual(broken, []);
});

test("pure folders read no clock, no chance, no process", () => {
  assert.deepEqual(
    offences(
      inFolders(pureFolders),
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.|Buffer\b|setTimeout|globalThis)/,
    ),
    [],
  );
});

test("no code is made from text at run time", () => {
  assert.deepEqual(offences(product, /\beval\(|new Function\b/), []);
});

test("a decision never awaits and never throws", () => {
  assert.deepEqual(offences(inFolders(["authz/engine/", "authz/authenticate/"]), /\bawait\b|\basync\b|\bthrow\b/), []);
});

test("no RegExp is built at run time where users' patterns are near", () => {
  assert.deepEqual(offences(inFolders([...pureFolders, "authz/check/"]), /new RegExp\(|\bRegExp\(/), []);
});

test("nothing is exported by default", () => {
  assert.deepEqual(offences(product, /^export default\b/), []);
});

test("names that say nothing are not used for files, functions or types", () => {
  const banned = /(?:^|[^a-z])(?:handle|process|manage|util|utils|helper|helpers|common|data|info)(?:[A-Z]\w*)?$/;
  const files = product.filter((path) =>
    banned.test(path.split("/").at(-1)!.replace(/\.ts$/, "").replaceAll("-", " ")),
  );
  assert.deepEqual(files, []);
  assert.deepEqual(
    offences(product, /\b(?:function|class|interface|type)\s+(?:handle|process|manage|util|helper)[A-Z]\w*/),
    [],
  );
});

test("every folder that a stranger opens has a README", () => {
  const known = new Set(sourceFiles().map((path) => path.split("/")[0]!));
  const top = [
    "policy-compiler",
    "authz",
    "ca",
    "envoy-configs",
    "test",
    "identity",
    "xds",
    "platform",
    "cli",
    "bench",
    "tools",
  ];
  for (const folder of top) {
    if (!known.has(folder)) continue;
    assert.ok(
      readSource(`${folder}/README.md`).split("\n").length >= 8,
      `${folder}/README.md is missing or says too little`,
    );
  }
});

test("no file tells about machines or about how the work is organised", () => {
  const pattern = new RegExp(
    ["/wor" + "k/", "/fa" + "rm", "\\bC" + "EO\\b", "this ses" + "sion", "\\.\\./sha" + "red"].join("|"),
  );
  const broken = sourceFiles().flatMap((path) =>
    readSource(path)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}`] : [])),
  );
  assert.deepEqual(broken, []);
});
