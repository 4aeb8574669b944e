import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import fc from "fast-check";
import { checkShape } from "#cli/config/check-shape";
import { readOrdinary } from "#cli/config/read-yaml";
import { readYamlFully } from "#cli/config/read-yaml-fully";
import { type ConfigSchema, configSchema } from "#cli/config/schema";

const seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`configuration: TEST_SEED=${seed}`);

const junk = fc.oneof(
  fc.constantFrom(null, "", "a b", "127.0.0.1:1", "grpc", "0600", "/x", "a/b", true, 0, 1, 70_000, 1.5, -1),
  fc.constant([]),
  fc.constant({}),
);

const samples = ["a", "a-b", "/x", "n/s", "0660", "127.0.0.1:1"];

/** Values of a schema, with a fault here and there. */
function mostlySound(schema: ConfigSchema): fc.Arbitrary<unknown> {
  const sound: fc.Arbitrary<unknown> = soundValue(schema);
  return fc.oneof({ weight: 200, arbitrary: sound }, { weight: 1, arbitrary: junk });
}

function soundValue(schema: ConfigSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "string":
      if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
      return fc.constantFrom(...samples.filter((text) => new RegExp(schema.pattern ?? "", "u").test(text)));
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 10 });
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(mostlySound(schema.items!), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case "object": {
      const members = Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, mostlySound(inner)] as const);
      const extra = fc.dictionary(fc.constantFrom("x", "nmae", "toString", "constructor"), fc.constantFrom("t", 1), {
        maxKeys: 1,
      });
      const requiredKeys = (schema.required ?? []) as never[];
      const known = fc.record(Object.fromEntries(members), { requiredKeys });
      const partial = fc.record(Object.fromEntries(members), { requiredKeys: [] });
      return fc
        .tuple(
          fc.oneof({ weight: 100, arbitrary: known }, { weight: 1, arbitrary: partial }),
          fc.oneof({ weight: 100, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: extra }),
        )
        .map(([a, b]) => ({ ...a, ...b }));
    }
  }
}

test("the shape of a configuration is judged as a general JSON Schema validator judges it, fault by fault", () => {
  const validate = new Ajv({ allErrors: true, strict: true }).compile(configSchema as object);
  const verdicts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(mostlySound(configSchema), (value) => {
      const accepted = validate(value);
      const faults = checkShape(value, configSchema);
      verdicts[accepted ? "accepted" : "refused"]++;
      assert.equal(faults.length === 0, accepted, JSON.stringify([value, faults, validate.errors]));
      const places = new Set(
        faults.map(({ code, path }) => `/${(code === "config/unknown-key" ? path.slice(0, -1) : path).join("/")}`),
      );
      const wanted = new Set((validate.errors ?? []).map(({ instancePath }) => instancePath || "/"));
      assert.deepEqual([...places].sort(), [...wanted].sort());
    }),
    { seed, numRuns: 2_000 },
  );
  assert.ok(verdicts.accepted > 50 && verdicts.refused > 50, JSON.stringify(verdicts));
});

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
