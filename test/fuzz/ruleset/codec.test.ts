import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeRuleSet, encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { crc32 } from "#policy-compiler/ruleset/wire/checksum";
import { Random, testSeed } from "#test/support/random";
import { anyRuleSet } from "#test/support/rule-set-arbitrary";

const seed = testSeed("rule set bytes");
const mutationsPerRuleSet = 100;
const ruleSets = 100;

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return new Uint8Array([...bytes, ...Array.from({ length: 1 + random.below(4) }, () => random.below(256))]);
    case 2:
      return new Uint8Array([...bytes.slice(0, at), random.below(256), ...bytes.slice(at)]);
    case 3:
      return new Uint8Array([...bytes.slice(0, at), ...bytes.slice(at + 1 + random.below(8))]);
    default: {
      const changed = bytes.slice();
      for (let i = random.below(4); i >= 0; i--)
        changed[random.below(changed.length)] = random.below(3) === 0 ? 0xff : random.below(256);
      return changed;
    }
  }
}

/** What somebody does who wants the bytes to be believed. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 12) return bytes;
  const fixed = bytes.slice();
  new DataView(fixed.buffer).setUint32(8, crc32(fixed.subarray(12)));
  return fixed;
}

const samples = fc.sample(anyRuleSet, { seed, numRuns: ruleSets }).map(encodeRuleSet);

test(`damaged bytes give a fault (${ruleSets * mutationsPerRuleSet} mutations)`, () => {
  const random = new Random(seed);
  for (const bytes of samples) {
    for (let i = 0; i < mutationsPerRuleSet; i++) {
      const changed = mutated(bytes, random);
      const result = decodeRuleSet(changed);
      if (result.ok) assert.deepEqual(changed, bytes);
      else assert.match(result.fault, /^[a-z].+[^.]$/);
    }
  }
});

test(`bytes made up to be believed give a fault or a rule set (${ruleSets * mutationsPerRuleSet} mutations)`, () => {
  const random = new Random(seed + 1);
  let accepted = 0;
  for (const bytes of samples) {
    for (let i = 0; i < mutationsPerRuleSet; i++) {
      const result = decodeRuleSet(withChecksum(mutated(bytes, random)));
      if (!result.ok) continue;
      accepted++;
      const again = decodeRuleSet(encodeRuleSet(result.ruleSet));
      assert.ok(again.ok);
      assert.deepEqual(again.ruleSet, result.ruleSet);
    }
  }
  assert.ok(accepted > 0, "no mutation reached beyond the checksum");
});

test("every beginning of a rule set's bytes gives a fault", () => {
  for (const bytes of samples.slice(0, 10)) {
    for (let size = 0; size < bytes.length; size++) {
      assert.equal(decodeRuleSet(withChecksum(bytes.slice(0, size))).ok, false);
    }
  }
});
