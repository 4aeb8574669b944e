import assert from "node:assert/strict";
import { test } from "node:test";
import { covers } from "#policy-compiler/compare/covers";
import { parseTextPattern } from "#policy-compiler/document/values/text-pattern";

/** Every text of up to so many letters of an alphabet of two. */
function texts(length: number): readonly string[] {
  if (length === 0) return [""];
  const shorter = texts(length - 1);
  return [...new Set([...shorter, ...shorter.flatMap((text) => [`${text}a`, `${text}b`])])];
}

function matches(pattern: string, text: string): boolean {
  const parsed = parseTextPattern(pattern);
  switch (parsed.op) {
    case "present":
      return text !== "";
    case "exact":
      return text === parsed.text;
    case "prefix":
      return text.startsWith(parsed.text);
    case "suffix":
      return text.endsWith(parsed.text);
  }
}

test("a pattern covers another where every text that the other matches is matched, and nowhere else", () => {
  const patterns = ["*", ...texts(2).flatMap((text) => [text, `${text}*`, `*${text}`])];
  const subjects = texts(6);
  for (const wide of patterns) {
    for (const narrow of patterns) {
      const isCovered = subjects.every((text) => !matches(narrow, text) || matches(wide, text));
      assert.equal(covers(wide, narrow, "pattern"), isCovered, `${wide} ${narrow}`);
    }
  }
});

const others: readonly (readonly [
  kind: "host" | "path" | "block" | "same",
  wide: string,
  narrow: string,
  is: boolean,
])[] = [
  ["host", "*.Example", "a.EXAMPLE", true],
  ["host", "a.example", "b.example", false],
  ["path", "/a*", "/a/b", true],
  ["path", "/a*", "/{*}", false],
  ["path", "/{**}", "/a", false],
  ["path", "/{*}", "/{*}", true],
  ["block", "10.0.0.0/8", "10.1.2.3", true],
  ["block", "10.0.0.0/8", "10.0.0.0/7", false],
  ["block", "10.1.0.0/15", "10.0.255.1", true],
  ["block", "10.128.0.0/9", "10.127.0.0/16", false],
  ["block", "0.0.0.0/0", "::1", false],
  ["block", "::/0", "2001:db8::/32", true],
  ["block", "nonsense", "10.0.0.1", false],
  ["same", "*", "a", false],
  ["same", "a", "a", true],
];

for (const [kind, wide, narrow, is] of others) {
  test(`${kind}: \`${wide}\` ${is ? "covers" : "is not known to cover"} \`${narrow}\``, () => {
    assert.equal(covers(wide, narrow, kind), is);
  });
}
