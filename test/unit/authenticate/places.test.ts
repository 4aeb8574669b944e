import assert from "node:assert/strict";
import { test } from "node:test";
import { plainAudience } from "#authz/authenticate/audience";
import { firstCookies } from "#authz/authenticate/cookies";
import { cutParameter, firstParameters } from "#authz/authenticate/query";

const parameters: readonly (readonly [target: string, value: string | undefined, cut: string])[] = [
  ["/p", undefined, "/p"],
  ["/p?", undefined, "/p?"],
  ["/p?t=1", "1", "/p"],
  ["/p?t=1&", "1", "/p"],
  ["/p?&t=1", "1", "/p"],
  ["/p?t", "", "/p"],
  ["/p?t=", "", "/p"],
  ["/p?a=2&t=1&b=3", "1", "/p?a=2&b=3"],
  ["/p?z=1&t=1&a=2", "1", "/p?z=1&a=2"],
  ["/p?t=1&a=%26t=2&t=3", "1", "/p?a=%26t=2"],
  ["/p?a=%26admin=1&t=1", "1", "/p?a=%26admin=1"],
  ["/p?%74=1&a=%41+", "1", "/p?a=%41+"],
  ["/p?T=1&tt=2&=3", undefined, "/p?T=1&tt=2&=3"],
  ["/p?a=t=1", undefined, "/p?a=t=1"],
  ["/p?a?t=1", undefined, "/p?a?t=1"],
  ["/p?x=1?y&t=%2e%zz%4+%C3%a9", ".%zz%4+\u00c3\u00a9", "/p?x=1?y"],
  ["/p?&&t=1&&b", "1", "/p?&&&b"],
];

for (const [target, value, cut] of parameters) {
  test(`parameter t of ${target}`, () => {
    assert.equal(firstParameters(target, new Set(["t"])).get("t"), value);
    assert.equal(cutParameter(target, "t"), cut);
  });
}

const cookies: readonly (readonly [lines: readonly string[], value: string | undefined])[] = [
  [[], undefined],
  [["c=1"], "1"],
  [["a=0;   c=1; b=2"], "1"],
  [["a=0;c=1;c=2"], "1"],
  [["a=0", "c=1"], "1"],
  [['c="1"'], "1"],
  [['c="'], '"'],
  [['c="1'], '"1'],
  [["c="], ""],
  [["c"], undefined],
  [["C=1"], undefined],
  [["c =1"], undefined],
  [["\tc=1"], undefined],
  [["c=1 ; d"], "1 "],
  [["c=a=b"], "a=b"],
  [["; ;;c=1"], "1"],
  [["a=1,c=2"], undefined],
];

for (const [lines, value] of cookies) {
  test(`cookie c of ${JSON.stringify(lines)}`, () => assert.equal(firstCookies(lines, new Set(["c"])).get("c"), value));
}

test("audiences are compared without one scheme and one trailing slash", () => {
  const cases = [
    "a",
    "http://a",
    "https://a/",
    "a/",
    "a//",
    "http://http://a",
    "HTTP://a",
    "",
    "/",
    "https://",
    "http:/a",
  ];
  assert.deepEqual(cases.map(plainAudience), ["a", "a", "a", "a", "a/", "http://a", "HTTP://a", "", "", "", "http:/a"]);
});
