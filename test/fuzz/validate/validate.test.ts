import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { validateDocuments } from "#policy-compiler/validate/validate";

const corpus: readonly string[] = gunzipSync(
  readFileSync(new URL("../../cases/validation/generated.jsonl.gz", import.meta.url)),
)
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.stringify(JSON.parse(line).policy));

/** Texts that stand where an author's value stood: anything, and what the small grammars are made of. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."*{}/[]:.%@#?-0aZ\n ", "{*}", "{**}", "https://", "spiffe://", "::", "é") }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);

describe("validation of policies whose values were replaced by anything", () => {
  it("never throws, and underlines a part of the file in one line of words", () => {
    const edits = fc.array(fc.tuple(fc.nat(), text), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...corpus), edits, (policy, replacements) => {
        const content = replaceTexts(policy, replacements);
        const files = [{ path: "p.json", bytes: new TextEncoder().encode(content) }];
        for (const finding of validateDocuments(decodeDocuments(files, { istioLax: true }).documents)) {
          const { start, end } = finding.span;
          assert.ok(0 <= start && start < end && end <= content.length, finding.code);
          assert.doesNotMatch(`${finding.message}${finding.help ?? ""}`, /[\p{Cc}\u2028\u2029]/u);
        }
      }),
      { numRuns: 3000, verbose: 1 },
    );
  });
});

/** Replaces the values chosen by number, of those that are text inside a list or a field. */
function replaceTexts(policy: string, replacements: readonly (readonly [number, string])[]): string {
  const spots = [...policy.matchAll(/(?<=[:,[])"(?:[^"\\]|\\.)*"(?=[,\]}])/g)];
  let content = policy;
  const chosen = new Map(replacements.map(([number, value]) => [number % Math.max(spots.length, 1), value]));
  for (const [spot, value] of [...chosen].toSorted(([left], [right]) => right - left)) {
    const found = spots[spot];
    if (found === undefined) continue;
    content = `${content.slice(0, found.index)}${JSON.stringify(value)}${content.slice(found.index + found[0].length)}`;
  }
  return content;
}
