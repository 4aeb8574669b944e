import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Blocks } from "#authz/engine/lookup/blocks";
import { Candidates } from "#authz/engine/lookup/candidates";
import type { PreparedView } from "#authz/engine/view";
import { inBlock } from "#policy-compiler/ruleset/patterns/in-block";
import { finish } from "#policy-compiler/ruleset/steps";

const everyRule = { hasRule: () => true } as unknown as PreparedView;

const cases: readonly [block: readonly number[], prefixLength: number, address: readonly number[], inside: boolean][] =
  [
    [[10, 0, 0, 0], 8, [10, 9, 9, 9], true],
    [[10, 0, 0, 0], 8, [11, 0, 0, 0], false],
    [[10, 0, 0, 8], 29, [10, 0, 0, 15], true],
    [[10, 0, 0, 8], 29, [10, 0, 0, 16], false],
    [[10, 0, 0, 9], 32, [10, 0, 0, 9], true],
    [[10, 0, 0, 9], 32, [10, 0, 0, 8], false],
    [[0, 0, 0, 0], 0, [255, 1, 2, 3], true],
    [[128, 0, 0, 0], 1, [255, 1, 2, 3], true],
    [[0, 0, 0, 0], 0, v6(0, 0, 0, 0, 0, 0, 0, 1), false],
    [[0, 0, 0, 0], 0, v6(0, 0, 0, 0, 0, 0xffff, 0x0a00, 1), false],
    [v6(), 0, v6(0xffff), true],
    [v6(), 0, [10, 0, 0, 1], false],
    [v6(0x2001, 0xdb8), 33, v6(0x2001, 0xdb8, 0x7fff), true],
    [v6(0x2001, 0xdb8), 33, v6(0x2001, 0xdb8, 0x8000), false],
    [v6(0, 0, 0, 0, 0, 0, 0, 1), 128, v6(0, 0, 0, 0, 0, 0, 0, 1), true],
  ];

/** Eight groups; those that are not given are zero. */
function v6(...groups: number[]): readonly number[] {
  return Array.from({ length: 8 }, (_, i) => groups[i] ?? 0).flatMap((group) => [group >> 8, group & 0xff]);
}

for (const [block, prefixLength, address, inside] of cases) {
  test(`${address.join(".")} is ${inside ? "" : "not "}in ${block.join(".")}/${prefixLength}`, () => {
    assert.equal(inBlock({ bytes: address }, block, prefixLength), inside);
    assert.equal(found([{ bytes: block, prefixLength }], address).length, inside ? 1 : 0);
  });
}

function found(blocks: readonly { bytes: readonly number[]; prefixLength: number }[], address: readonly number[]) {
  const candidates = new Candidates(blocks.length);
  candidates.begin(everyRule);
  finish(Blocks.prepare(blocks.map((block, id) => ({ ...block, rules: [id] })))).find({ bytes: address }, candidates);
  return Array.from(candidates.ids.subarray(0, candidates.size));
}

test("blocks finds exactly the blocks that hold an address", () => {
  const address = fc.oneof(
    fc.array(fc.constantFrom(0, 1, 127, 128, 255), { minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 1, 127, 128, 255), { minLength: 16, maxLength: 16 }),
  );
  const block = fc.tuple(address, fc.nat(128)).map(([bytes, length]) => {
    const prefixLength = Math.min(length, bytes.length * 8);
    const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixLength - 8 * i))) & 0xff);
    return { bytes: masked, prefixLength };
  });
  const unique = fc.uniqueArray(block, {
    selector: ({ bytes, prefixLength }) => `${bytes}/${prefixLength}`,
    maxLength: 30,
  });
  fc.assert(
    fc.property(unique, address, (blocks, bytes) => {
      const held = blocks.flatMap((one, id) => (inBlock({ bytes }, one.bytes, one.prefixLength) ? [id] : []));
      assert.deepEqual(found(blocks, bytes).sort(), held.sort());
    }),
    { numRuns: 1000 },
  );
});
