import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, sourceFiles } from "./source-tree.ts";

/** Everything that is loaded with a file: its imports, and theirs, but for types and generated code. */
function loadedWith(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const known = new Set(sourceFiles());
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const { target, specifier, typeOnly } of importsOf(file)) {
      if (typeOnly) continue;
      if (target === undefined) packages.add(specifier);
      else if (known.has(target)) visit(target);
    }
  };
  visit(entry);
  return { files, packages };
}

test("an agent loads none of what makes the service large", () => {
  const { files, packages } = loadedWith("cli/agent/run-agent.ts");
  assert.ok(files.has("ca/agent/identity-life.ts") && files.has("platform/grpc/serve.ts"), "the scan sees the agent");
  const large =
    /^(?:authz\/|envoy-configs\/|ca\/store\/sqlite\/|ca\/transport\/http\/|ca\/issuance\/certify|policy-compiler\/(?:compile|lower|index|validate|conditions))/;
  assert.deepEqual(
    [...files].filter((file) => large.test(file)),
    [],
  );
  const heavy = ["fastify", "node:sqlite", "@marcbachmann/cel-js", "re2js", "chokidar", "jose", "@grpc/reflection"];
  assert.deepEqual(
    heavy.filter((name) => packages.has(name)),
    [],
  );
});
