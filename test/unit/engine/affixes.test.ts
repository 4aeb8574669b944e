import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Affixes } from "#authz/engine/lookup/affixes";
import { Candidates } from "#authz/engine/lookup/candidates";
import type { PreparedView } from "#authz/engine/view";
import { finish } from "#policy-compiler/ruleset/steps";

/** Texts over two letters, so that they begin and end alike. */
const texts = fc.uniqueArray(fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 6 }), { maxLength: 40 });
const asked = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
const everyRule = { hasRule: () => true } as unknown as PreparedView;

for (const backwards of [false, true]) {
  test(`affixes finds exactly the ${backwards ? "suffixes" : "prefixes"} of a text, in whatever order they were filed`, () => {
    fc.assert(
      fc.property(texts, asked, (filed, text) => {
        const affixes = finish(
          Affixes.prepare(
            filed.map((affix, id) => [affix, [id]]),
            backwards,
          ),
        );
        const candidates = new Candidates(filed.length);
        candidates.begin(everyRule);
        affixes.find(text, candidates);
        const found = Array.from(candidates.ids.subarray(0, candidates.size), (id) => filed[id]!).sort();
        assert.deepEqual(
          found,
          filed.filter((affix) => (backwards ? text.endsWith(affix) : text.startsWith(affix))).sort(),
        );
      }),
      { numRuns: 2000 },
    );
  });
}
