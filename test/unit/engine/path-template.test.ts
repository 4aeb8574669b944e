import assert from "node:assert/strict";
import { test } from "node:test";
import { templateMatcher } from "#policy-compiler/ruleset/patterns/path-template";
import { template } from "#test/support/generate/fields";
import { words } from "#test/support/generate/words";
import { Random, testSeed } from "#test/support/random";

/** Takes a template apart as the compiler does. */
function matcher(text: string) {
  const pieces = text.split(/\{\*\*?\}/);
  const globs = [...text.matchAll(/\{(\*\*?)\}/g)].map(([, glob]) => (glob === "*" ? ("*" as const) : ("**" as const)));
  return templateMatcher(pieces, globs);
}

const cases: readonly [template: string, path: string, matches: boolean][] = [
  ["/a/{**}", "/a", false],
  ["/a/{**}", "/a/", true],
  ["/a/{**}", "/a/b/c/", true],
  ["/a/{**}", "/a/b?", false],
  ["/a/{*}", "/a/", false],
  ["/a/{*}", "/a/b", true],
  ["/a/{*}", "/a/b/", false],
  ["/a/{*}/", "/a/b/", true],
  ["/a/{*}/", "/a/b", false],
  ["/s/{**}/cart", "/s/cart", false],
  ["/s/{**}/cart", "/s//cart", true],
  ["/s/{**}/cart", "/s/x/y/cart", true],
  ["/s/{**}/cart", "/s/x/cart/", false],
  ["/i/{*}", "/i/x[1]", false],
  ["/i/{*}", "/i/x%5B*", true],
  ["/i/{**}", "/i/a|b", false],
  ["/foo/{**}/", "/foo/a.txt", false],
  ["/foo/{**}/", "/foo/a/", true],
  ["/foo/{**}/", "/foo//", true],
  ["/foo/{**}/", "/foo/", false],
  ["/{*}/v1/{*}/x", "/a/v1/b/x", true],
  ["/{*}/v1/{*}/x", "/a/v2/b/x", false],
  ["/{*}/{*}/{*}/{*}/{*}/{*}", "/1/2/3/4/5/6", true],
  ["/{*}/{*}/{*}/{*}/{*}/{*}", "/1/2/3/4/5", false],
  ["/A/{*}", "/a/b", false],
  // Templates that Istio's validation refuses keep their regular expression's meaning.
  ["/a{*}b{*}c", "/axbyc", true],
  ["/a{*}b{*}c", "/abbxc", true],
  ["/a{*}b{*}c", "/abbc", false],
  ["/{**}/x/{*}", "/x/x/y", true],
  ["{**}{**}", "", true],
];

for (const [text, path, matches] of cases) {
  test(`template ${text} ${matches ? "matches" : "does not match"} ${path}`, () => {
    assert.equal(matcher(text)(path), matches);
  });
}

test("templates match what their regular expression matches", () => {
  const random = new Random(testSeed("path templates"));
  const one = "[A-Za-z0-9._~%!$&'()+,;:@=*-]";
  let hits = 0;
  for (let i = 0; i < 3000; i++) {
    const { pieces, globs } = template(random);
    const source = pieces.map((piece, at) => {
      const glob = globs[at] === "*" ? `${one}+` : globs[at] === "**" ? `(?:${one}|/)*` : "";
      return piece.replace(/[^A-Za-z0-9/]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`) + glob;
    });
    const expected = new RegExp(`^(?:${source.join("")})$`, "s");
    const matches = templateMatcher(pieces, globs);
    for (const path of words.paths) {
      assert.equal(matches(path), expected.test(path), JSON.stringify({ pieces, globs, path }));
      if (expected.test(path)) hits++;
    }
  }
  assert.ok(hits > 1000, String(hits));
});

test("six globs on eight kilobytes end, whatever the path", () => {
  // A matcher that tries every way to share the path out would not come back from these.
  const long = `/${"a".repeat(8192)}`;
  assert.equal(matcher("/{*}/{*}/{*}/{*}/{*}/{*}")(long), false);
  assert.equal(matcher("/{*}a{*}a{*}a{*}a{*}a{*}b")(long), false);
  assert.equal(matcher("/{**}a{**}a{**}a{**}a{**}a{**}b")(long), false);
  assert.equal(matcher("/{**}a{**}a{**}a{**}a{**}a{**}")(long), true);
  assert.equal(matcher(`/{**}${"/a".repeat(100)}`)("/a".repeat(4096)), true);
});
