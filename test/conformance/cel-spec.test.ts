import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSpecTest, type SpecTest, specTests } from "#test/support/conditions/cel-spec";

/** Every test of cel-spec whose expression compiles as a condition and comes to something else, with the reason (`docs/divergences.md`). */
const differences: Readonly<Record<string, string>> = {
  "timestamps/timestamp_conversions/toString_timestamp_nanos": "timestamps have milliseconds",
  "timestamps/timestamp_arithmetic/add_time_to_duration_nanos_positive": "timestamps have milliseconds",
  "timestamps/timestamp_range/add_duration_nanos_over": "timestamps have milliseconds",
};

/** How many tests of a section compile at least: what conditions offer does not shrink unnoticed. */
const floors: Readonly<Record<string, number>> = {
  basic: 24,
  comparisons: 100,
  conversions: 51,
  fp_math: 29,
  integer_math: 39,
  lists: 17,
  logic: 12,
  macros: 29,
  parse: 91,
  string: 45,
  string_ext: 53,
  timestamps: 50,
};

describe("cel-spec", () => {
  const outcomes = specTests().map((test) => ({ test, outcome: runSpecTest(test) }));

  it("agrees with every expression that conditions offer, but for the listed differences", () => {
    const found = outcomes.flatMap(({ test, outcome }) => (outcome.kind === "differs" ? [test.name] : []));
    assert.deepEqual(found.sort(), Object.keys(differences).sort());
  });

  for (const [section, floor] of Object.entries(floors)) {
    it(`offers ${floor} tests of ${section}`, () => {
      const offered = outcomes.filter(({ test, outcome }) => sectionOf(test) === section && outcome.kind !== "refused");
      assert.ok(offered.length >= floor, `${offered.length} of ${section} compile`);
    });
  }
});

function sectionOf({ name }: SpecTest): string {
  return name.split("/")[0]!;
}
