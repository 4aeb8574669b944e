import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const folder = new URL("../../../platform/envoy-api/", import.meta.url);

test("the generated code is that of the committed set, file by file", () => {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(new URL("envoy.binpb", folder)));
  const wanted = file
    .map(({ name }) => name.replace(/\.proto$/, "_pb.ts"))
    .filter((name) => !name.startsWith("google/protobuf/"));
  const generated = readdirSync(fileURLToPath(new URL("gen", folder)), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.replaceAll("\\", "/"));
  assert.deepEqual(generated.sort(), wanted.sort());
});

test("every file of the set comes after the files that it imports", () => {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(new URL("envoy.binpb", folder)));
  const before = new Set<string>();
  for (const { name, dependency } of file) {
    for (const imported of dependency) assert.ok(before.has(imported), `${name} comes before ${imported}`);
    before.add(name);
  }
});
