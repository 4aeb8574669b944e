import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv, type ValidateFunction } from "ajv";
import fc from "fast-check";
import { checkShape } from "#cli/config/check-shape";
import { configSchema } from "#cli/config/schema";
import type { ConfigSchema } from "#cli/config/schema-parts";
import { testFileSchema } from "#cli/policies/test-file";
import { requestSchema } from "#cli/request/schema";

/** Values that are near to what a schema takes: mostly right, now and then of another type, a key too many or too few. */
function near(schema: ConfigSchema): fc.Arbitrary<unknown> {
  const anything = fc.oneof(
    fc.constantFrom(null, true, 0, -1, 1.5, 70000, "", "x", "08080"),
    fc.constant([]),
    fc.constant({}),
    fc.constant([1]),
    fc.constant({ a: 1 }),
  );
  return fc.oneof({ weight: 12, arbitrary: fitting(schema) }, { weight: 1, arbitrary: anything });
}

function fitting(schema: ConfigSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: (schema.minimum ?? 0) - 2, max: (schema.maximum ?? 9) + 2 });
    case "string":
      return fc.constantFrom("", "text", "a/b", "0660", "2026-01-02T03:04:05Z", ...(schema.enum ?? []));
    case "array":
      return fc.array(near(schema.items!), { maxLength: 3 });
    case "object":
      return fc
        .tuple(
          fc.record(
            Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, each]) => [key, near(each)])),
            {
              requiredKeys: [],
            },
          ),
          typeof schema.additionalProperties === "object"
            ? fc.dictionary(fc.constantFrom("a", "b", "constructor"), near(schema.additionalProperties), { maxKeys: 2 })
            : fc.constantFrom({}, {}, {}, { unknown: 1 }, { constructor: 1 }),
        )
        .map(([known, more]) => ({ ...known, ...more }));
  }
}

/** Where a validator sees a fault: the path, and whether it is about a key that is missing or too many. */
function ofAjv(value: unknown, validate: ValidateFunction): string[] {
  validate(value);
  return (validate.errors ?? []).map(({ keyword, instancePath, params }) => {
    if (keyword === "additionalProperties") return `${instancePath}/${params["additionalProperty"]} unknown-key`;
    return `${instancePath} ${keyword === "required" ? `missing ${params["missingProperty"]}` : "value"}`;
  });
}

function ofOurs(value: unknown, schema: ConfigSchema): string[] {
  return checkShape(value, schema).map(({ code, path, message }) => {
    const place = path.map((step) => `/${step}`).join("");
    if (code === "config/unknown-key") return `${place} unknown-key`;
    return code === "config/missing-key" ? `${place} missing ${/`(.*)`/.exec(message)?.[1]}` : `${place} value`;
  });
}

/** A text may break several rules at once; we name the first, the general validator each. */
const distinct = (faults: readonly string[]) => [...new Set(faults)].sort();

for (const [name, schema] of Object.entries({ configSchema, testFileSchema, requestSchema })) {
  const validate = new Ajv({ allErrors: true, strict: true }).compile(schema as object);
  test(`${name}: our walk finds what a general JSON Schema validator finds`, () => {
    fc.assert(
      fc.property(near(schema), (value) => {
        const plain = JSON.parse(JSON.stringify(value));
        assert.deepEqual(distinct(ofOurs(plain, schema)), distinct(ofAjv(plain, validate)));
      }),
      { numRuns: 2_000 },
    );
  });
}
