import assert from "node:assert/strict";
import { test } from "node:test";
import { type Import, importsOf, sourceFiles } from "./source-tree.ts";

/** The parts of the house, each known by its folders; a file belongs to the first part that fits. */
const parts = {
  identity: ["identity/"],
  ruleset: ["policy-compiler/ruleset/", "policy-compiler/conditions/"],
  document: ["policy-compiler/document/"],
  compiler: ["policy-compiler/"],
  engine: ["authz/engine/", "authz/authenticate/"],
  envoyApi: ["platform/envoy-api/"],
  platform: ["platform/"],
  xds: ["xds/"],
  rulesets: ["authz/rulesets/"],
  transport: ["authz/transport/", "ca/transport/"],
  wire: ["authz/check/wire/"],
  // What a gRPC provider is asked is a CheckRequest, and its answer a CheckResponse: with the client that carries them.
  providerWire: ["authz/custom/grpc/"],
  authz: ["authz/"],
  ca: ["ca/"],
  envoyConfigs: ["envoy-configs/"],
  top: ["cli/", "test/", "bench/", "tools/", "index.ts"],
} as const;
type Part = keyof typeof parts;

/** Who may import whom. `top` may import everything; nothing outside `top` imports it. A part may import itself. */
const allowed: Record<Exclude<Part, "top">, readonly Part[]> = {
  identity: [],
  ruleset: ["identity"],
  document: ["identity", "ruleset", "compiler"],
  compiler: ["identity", "ruleset", "document"],
  engine: ["identity", "ruleset"],
  envoyApi: [],
  platform: ["envoyApi"],
  xds: ["platform", "envoyApi"],
  rulesets: ["identity", "ruleset", "compiler", "engine", "platform", "authz"],
  transport: ["identity", "ruleset", "engine", "platform", "envoyApi", "authz", "rulesets", "wire", "ca", "xds"],
  wire: ["ruleset", "platform", "envoyApi", "authz"],
  providerWire: ["ruleset", "engine", "platform", "envoyApi", "authz"],
  authz: ["identity", "ruleset", "engine", "platform", "wire", "providerWire", "rulesets"],
  ca: ["identity", "platform", "xds", "envoyApi"],
  envoyConfigs: ["identity", "ruleset", "document", "platform", "xds", "envoyApi"],
};

function partOf(path: string): Part {
  for (const [part, folders] of Object.entries(parts)) if (folders.some((f) => path.startsWith(f))) return part as Part;
  throw new Error(`${path} belongs to no part of the house`);
}

const files = sourceFiles();
const imports = files.flatMap((file) => importsOf(file));
const own = imports.filter((i): i is Import & { target: string } => i.target !== undefined);

test("the scan sees the tree", () => {
  assert.ok(files.length > 10, "too few files were found to mean anything");
  assert.ok(own.length > 10, "too few imports were found to mean anything");
});

test("every import stays inside the matrix", () => {
  const broken = own.filter(({ from, target }) => {
    const [source, goal] = [partOf(from), partOf(target)];
    return source !== "top" && source !== goal && !allowed[source].includes(goal);
  });
  assert.deepEqual(
    broken.map(({ from, target }) => `${from} -> ${target}`),
    [],
  );
});

test("a transport of one service knows nothing of the other's", () => {
  const crossed = own.filter(
    ({ from, target }) =>
      (from.startsWith("authz/") && target.startsWith("ca/")) ||
      (from.startsWith("ca/") && target.startsWith("authz/")),
  );
  assert.deepEqual(
    crossed.map(({ from, target }) => `${from} -> ${target}`),
    [],
  );
});

test("there are no cycles of modules", () => {
  const edges = new Map<string, string[]>();
  for (const { from, target, typeOnly } of own) if (!typeOnly) edges.set(from, [...(edges.get(from) ?? []), target]);
  const cycles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file)) return;
    done.add(file);
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
  };
  for (const file of edges.keys()) visit(file);
  assert.deepEqual(cycles, []);
});

test("generated protobuf code is imported only where bytes are made and read", () => {
  const places = [
    /\/transport\//,
    /^xds\//,
    /^envoy-configs\//,
    /^authz\/check\/wire\//,
    /^authz\/custom\/grpc\//,
    /^(cli|test|bench|tools)\//,
    /^platform\/envoy-api\//,
  ];
  const broken = own.filter(
    ({ from, target }) => target.includes("/gen/") && !places.some((place) => place.test(from)),
  );
  assert.deepEqual(
    broken.map(({ from, target }) => `${from} -> ${target}`),
    [],
  );
});

test("every own import resolves to a file of the repository", () => {
  const known = new Set(files);
  const missing = own.filter(({ target }) => !target.includes("/gen/") && target.endsWith(".ts") && !known.has(target));
  assert.deepEqual(
    missing.map(({ from, specifier }) => `${from}: ${specifier}`),
    [],
  );
});
