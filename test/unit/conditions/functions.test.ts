import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { functions } from "#policy-compiler/conditions/functions";
import { limits } from "#policy-compiler/conditions/limits";
import { selfTest } from "#policy-compiler/conditions/self-test";
import { outcomeOf } from "#test/support/conditions/compiled";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";

const text = (value: string) => makeFacts({ request: requestFacts({ "x-a": [value], "x-b": ["10.0.0.9"] }) });
const a = 'request.headers["x-a"]';

const cases: readonly (readonly [string, boolean | string, string?])[] = [
  // Numbers.
  ['int("12") == 12 && int("-7") == -7 && int(3.9) == 3 && int(-3.9) == -3', true],
  [`int(${a}) == 7`, true, "7"],
  ...["", " 7", "0b11", "0x7", "7.0", "9223372036854775808", "\xef\xbc\x97", "1e3", "_"].map(
    (value) => [`int(${a}) == 0 || true == false`, "condition/error int_conversion_error", value] as const,
  ),
  ["int(1e300) > 0", "condition/error int_conversion_error"],
  ["int(9223372036854775807.0) > 0", "condition/error int_conversion_error"],
  ['double("1.5e3") == 1500.0 && double(2) == 2.0', true],
  ...["", "0x10", "Infinity", "NaN", " 1"].map(
    (value) => [`double(${a}) > 0.0 || false`, "condition/error double_conversion_error", value] as const,
  ),
  ['string(1) == "1" && string(1.5) == "1.5" && string(true) == "true" && string("a") == "a"', true],
  ['string(now) == "2026-01-05T09:30:00Z" && string(duration("-90.5s")) == "-90.5s"', true],
  ["9223372036854775807 + 1 > 0", "condition/error numeric_overflow"],
  ["-9223372036854775808 - 1 < 0", "condition/error numeric_overflow"],
  ["-(-9223372036854775807 - 1) > 0", "condition/error numeric_overflow"],
  ["(-9223372036854775807 - 1) / -1 > 0", "condition/error numeric_overflow"],
  ["1 / size([]) == 1", "condition/error division_by_zero"],
  ["-7 / 2 == -3 && -7 % 2 == -1", true],
  // Text.
  ['"ÄK".lowerAscii() == "Äk" && "äk".upperAscii() == "äK" && "A\u212aZ".lowerAscii() == "a\u212az"', true],
  ['"\u00a0\u0085 a\t".trim() == "a" && "\ufeffa".trim() == "\ufeffa"', true],
  ['"\u{1f600}é".size() == 2 && size("") == 0 && size([1, 2]) == 2 && claims.size() == 5', true],
  [
    '"a\u{1f600}b".indexOf("b") == 2 && "abab".lastIndexOf("b") == 3 && "ab".indexOf("x") == -1 && "abab".indexOf("b", 2) == 3',
    true,
  ],
  ['"a\u{1f600}b".substring(1, 2) == "\u{1f600}" && "abc".substring(3) == ""', true],
  ['"abc".substring(4) == ""', "condition/error index_out_of_range"],
  ['"abc".substring(2, 1) == ""', "condition/error index_out_of_range"],
  ['"abc".substring(-1) == ""', "condition/error index_out_of_range"],
  ['"\u{1f600}".substring(2) == ""', "condition/error index_out_of_range"],
  ['"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"] && "a".split(",", 0) == []', true],
  ['"a\u{1f600}".split("") == ["a", "\u{1f600}"] && "".split(",") == [""] && "abc".split("", 2) == ["a", "bc"]', true],
  [`${a}.split(",").size() == 257`, "condition/error too_many_parts", ",".repeat(256)],
  [`${a}.split(",").size() == 256`, true, ",".repeat(255)],
  [`${a}.split(",", 300).size() == 256`, true, ",".repeat(255)],
  ['["a", "b"].join("-") == "a-b" && ["a", "b"].join() == "ab"', true],
  ['claims.groups.join() == "usersadmins"', true],
  ['[claims.level].join() == ""', "condition/error no_such_overload"],
  [`"${"b".repeat(300)}".contains(${a})`, "condition/error text_too_long", "b".repeat(257)],
  [`"${"b".repeat(300)}".contains(${a})`, true, "b".repeat(256)],
  [`"b".contains(${a})`, false, "b".repeat(257)],
  ['"\uff00" < "\u{1f600}" && "a" < "b" && "Z" < "a"', true],
  // Patterns.
  ['"abc".matches("b") && !"abc".matches("^b") && "ABC".matches("(?i)abc") && "a\\nb".matches("(?s)a.b")', true],
  ['"é".matches("^\\\\x{e9}$") && "\u{1f600}".matches("^.$")', true],
  [`${a}.matches("a")`, "condition/error text_too_long", "b".repeat(limits.patternSubject + 1)],
  [`${a}.matches("b$")`, true, "b".repeat(limits.patternSubject)],
  ['claims.level.matches("3")', "condition/error no_such_overload"],
  ['claims.sub.matches("^a.*e$")', true],
  ["claims.groups in claims", "condition/error no_such_overload"],
  ["claims.groups in [claims.groups] && !(claims.level in claims.org)", true],
  ['glob("a.b.example.com", "*.example.com") && !glob("example.com", "*.example.com") && glob("", "*")', true],
  ['glob("abcabc", "a*c") && glob("abc", "abc") && !glob("abcd", "abc") && !glob("ab", "ab*b")', true],
  [
    'glob("aXbYc", "a*b*c") && !glob("acb", "a*b*c") && glob("a.b", "a.b") && !glob("axb", "a.b") && glob("[x]", "[*]")',
    true,
  ],
  ['pathTemplate("/users/7/files", "/users/{*}/files") && !pathTemplate("/users/7/8/files", "/users/{*}/files")', true],
  ['pathTemplate("/a/b/c", "/a/{**}") && pathTemplate("/a/", "/a/{**}") && !pathTemplate("/b/c", "/a/{**}")', true],
  // Addresses.
  ['ip("2001:DB8:0:0:0:0:0:1") == "2001:db8::1" && ip("10.0.0.1") == source.address', true],
  [`ip(${a}) == "::ffff:1.2.3.4"`, true, "::FFFF:1.2.3.4"],
  [`ip(${a}) == "1"`, "condition/error not_an_address", "10.0.0.01"],
  [`isIP(${a})`, false, "10.0.0.0/8"],
  [`isIP(${a}) && cidr("10.0.0.0/8").containsIP(${a})`, true, "10.1.2.3"],
  [`cidr("10.0.0.0/8").containsIP(${a})`, "condition/error not_an_address", "x"],
  ['cidr("10.0.0.1/32").containsIP(source.address) && cidr("10.0.0.1").containsIP(source.address)', true],
  [
    'cidr("0.0.0.0/0").containsIP("::1") || cidr("::/0").containsIP("1.2.3.4") || cidr("10.0.0.0/8").containsIP("11.0.0.1")',
    false,
  ],
  // Time.
  [
    'timestamp("2026-01-05T10:30:00+01:00") == now && timestamp(1767605400) == now && timestamp(1767605400.0) == now',
    true,
  ],
  [`timestamp(${a}) == now`, true, "2026-01-05T09:30:00.0000000000Z"],
  [`timestamp(${a}) == now`, "condition/error invalid_timestamp", "2024-02-30T00:00:00Z"],
  [`timestamp(${a}) < now`, "condition/error invalid_timestamp", "0000-01-01T00:00:00Z"],
  [`timestamp(${a}) < now`, "condition/error invalid_timestamp", `2026-01-05T09:30:00.${"0".repeat(20)}Z`],
  [`timestamp(${a}) == now`, "condition/error invalid_timestamp", "Mon, 05 Jan 2026 09:30:00"],
  [`duration(${a}) == duration("0")`, "condition/error invalid_duration", "h"],
  ["timestamp(claims.level) < now", true],
  ["timestamp(1e300) < now", "condition/error invalid_timestamp"],
  ['now - timestamp("2026-01-05T09:00:00Z") == duration("30m") && now + duration("-1.5s") < now', true],
  [
    'duration("0") - duration("1.5s") == duration("-1.5s") && duration("-1.5s") + duration("0") == duration("-1.5s")',
    true,
  ],
  ['timestamp("9999-12-31T23:59:59Z") + duration("1s") > now', "condition/error numeric_overflow"],
  ["now.getFullYear() == 2026 && now.getMonth() == 0 && now.getDate() == 5 && now.getDayOfMonth() == 4", true],
  [
    "now.getDayOfYear() == 4 && now.getHours() == 9 && now.getMinutes() == 30 && now.getSeconds() == 0 && now.getMilliseconds() == 0",
    true,
  ],
  [
    'duration("90m").getHours() == 1 && duration("90m").getMinutes() == 90 && duration("1.25s").getMilliseconds() == 250',
    true,
  ],
  // Loops.
  ['claims.groups.exists(g, g == "admins") && !claims.groups.all(g, g == "admins")', true],
  ['claims.groups.exists_one(g, g.startsWith("a")) && claims.groups.filter(g, g.startsWith("u")) == ["users"]', true],
  [
    'claims.groups.map(g, g + "!") == ["users!", "admins!"] && claims.groups.map(g, g == "users", size(g)) == [5]',
    true,
  ],
  ['claims.org.exists(name, name == "id")', true],
  ["claims.sub.exists(g, true)", "condition/error invalid_comprehension_range"],
  ["claims.groups.exists(g, g.nothing == 1)", "condition/error no_such_key"],
  ['claims.groups.exists(g, g.nothing == 1 || g == "admins")', true],
  ['claims.groups.all(g, g == "x" && g.nothing == 1)', false],
];

describe("functions", () => {
  for (const [expression, expected, value] of cases) {
    it(`${expression.slice(0, 90)}${value === undefined ? "" : ` of ${JSON.stringify(value.slice(0, 30))}`} -> ${expected}`, () =>
      assert.equal(outcomeOf(expression, text(value ?? "")), expected));
  }

  it("have rows that can be called as they are written, and no two alike", () => {
    const keys = functions.flatMap(({ kind, name, counts }) =>
      counts.map((count) => `${kind === "method" || kind === "loop"}${name}${count}`),
    );
    assert.equal(new Set(keys).size, keys.length);
    for (const { name, written } of functions) assert.ok(written.includes(`${name}(`), written);
  });

  it("stand on a library that does what it must", () => assert.deepEqual(selfTest(), []));
});
