import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readOrdinary } from "#cli/config/read-yaml";
import { readYamlFully } from "#cli/config/read-yaml-fully";

const seed = Number(process.env["GARITA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`configuration YAML: GARITA_SEED=${seed}`);

test("a configuration that is read without the library has the same value and places as with it", () => {
  let ordinary = 0;
  const scalar = fc.constantFrom(
    "a",
    "'1'",
    "1",
    "true",
    "yes",
    "~",
    '"x y"',
    "127.0.0.1:1",
    "unix:/a",
    "{ b: 1, c: [x, 'y'] }",
    "[]",
    "# no",
  );
  const line = fc.tuple(fc.constantFrom("", "  ", "    ", "  - ", "- "), fc.constantFrom("a", "b", "c", "x-y"), scalar);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const text = lines.map(([indent, key, value]) => `${indent}${key}: ${value}\n`).join("");
      const fast = readOrdinary(text);
      if (fast === undefined) return;
      ordinary++;
      const full = readYamlFully(text).yaml;
      assert.ok(full !== undefined, text);
      assert.deepEqual(fast.value, full.value);
      for (const path of pathsOf(fast.value)) {
        assert.deepEqual(
          [fast.placeOf(path), fast.placeOfKey(path)],
          [full.placeOf(path), full.placeOfKey(path)],
          `${text}${path}`,
        );
      }
    }),
    { seed, numRuns: 5_000 },
  );
  assert.ok(ordinary > 100, String(ordinary));
});

function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, i) => pathsOf(item, [...path, i]))];
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}
