import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { normalizePath } from "#authz/check/path/normalize";
import type { PathNormalization } from "#policy-compiler/ruleset/model";

const modes: readonly PathNormalization[] = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"];
/** Pieces that make trouble together: halves of escapes, dots, separators of every spelling. */
const pieces = [
  ..."/\\.%?# 0123456789abcdefABCDEF~;;{\0\x80\xff",
  ..."%2f %2F %5c %5C %2e %2E %25 %30 %32 %46 %66 %41 %7e %00 %zz // /. /.. /./ /../ /..; ..;x %2e%2e;".split(" "),
];
const target = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => `/${parts.join("")}`),
  },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes)) },
);
const seed = Number(process.env["GARITA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

/** What only a dot segment can be to a second round: see `normalizePath`. */
const newDotSegment = /^[^?]*\/\.\.?;/;

test("normalising twice is normalising once, in every mode, but for a dot segment with parameters", () => {
  fc.assert(
    fc.property(target, fc.constantFrom(...modes), (raw, mode) => {
      const once = normalizePath(raw, mode);
      if (once === undefined) return;
      const twice = normalizePath(once, mode);
      if (mode !== "NONE" && newDotSegment.test(once)) assert.ok(twice !== undefined && twice.length < once.length);
      else assert.equal(twice, once);
    }),
    { seed, numRuns: 50_000 },
  );
});

test("a normal form has no dot segment, no backslash, no fragment, no raw byte to be escaped, and keeps the query", () => {
  fc.assert(
    fc.property(target, fc.constantFrom(...modes.slice(1)), (raw, mode) => {
      const normal = normalizePath(raw, mode);
      if (normal === undefined) return;
      const mark = normal.indexOf("?");
      const path = mark < 0 ? normal : normal.slice(0, mark);
      assert.match(path, /^\//);
      assert.doesNotMatch(path, /[\0-\x20"#<>\\^`{|}\x7f-\xff]/);
      assert.doesNotMatch(path, /\/(\.|%2e)?(\.|%2e)(\/|$)/i);
      assert.doesNotMatch(path, /%(2[de]|5f|7e|3[0-9]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/i);
      if (mode !== "BASE" && path !== "//") assert.doesNotMatch(path, /\/\//);
      if (mode === "DECODE_AND_MERGE_SLASHES") assert.doesNotMatch(path, /%(2f|5c)/i);
      const cut = raw.split("#")[0]!;
      assert.equal(mark < 0 ? "" : normal.slice(mark), cut.includes("?") ? cut.slice(cut.indexOf("?")) : "");
    }),
    { seed, numRuns: 50_000 },
  );
});
