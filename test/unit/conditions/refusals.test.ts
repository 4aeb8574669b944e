import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileValue } from "#policy-compiler/conditions/compile";
import { limits } from "#policy-compiler/conditions/limits";
import { compiled, faultOf } from "#test/support/conditions/compiled";

/** What is refused, with its code and the part that is underlined, and a twin that is not. */
const cases: readonly (readonly [refused: string, code: string, underlined: string, twin: string])[] = [
  // Syntax and types.
  ["request.method ==", "condition/syntax", "", 'request.method == "GET"'],
  ["true true", "condition/syntax", "true", "true"],
  ["", "condition/syntax", "", "true"],
  ["1 + 1", "condition/type", "1 + 1", "1 + 1 == 2"],
  ["request.method", "condition/type", "request.method", 'request.method == ""'],
  ["claims.admin", "condition/type", "claims.admin", "claims.admin == true"],
  ["true && request.method == 1", "condition/type", "request.method == 1", 'true && request.method == "1"'],
  ['["a", 1] == ["a"]', "condition/type", "1", '["a", "b"] == ["a"]'],
  ['duration("1h") + now > now', "condition/type", 'duration("1h") + now', 'now + duration("1h") > now'],
  // Names.
  ["request.verb == 1", "condition/not-allowed", "request.verb", 'request.method == "1"'],
  ["request == request", "condition/not-allowed", "request", "claims == claims"],
  ['request["method"] == "GET"', "condition/not-allowed", "request", 'request.headers["method"] == "GET"'],
  ["user.name == 1", "condition/not-allowed", "user", "claims.name == 1"],
  ["claims.groups.exists(now, now == 1)", "condition/not-allowed", "now", "claims.groups.exists(n, n == 1)"],
  ["claims.groups.exists(g, h == 1)", "condition/not-allowed", "h", "claims.groups.exists(h, h == 1)"],
  ["claims.groups.exists(g.a, true)", "condition/syntax", "g.a", "claims.groups.exists(g, true)"],
  // Functions and operators that are not offered.
  ["cel.bind(x, 1, x == 1)", "condition/not-allowed", "cel.bind(x, 1, x == 1)", "[1].exists(x, x == 1)"],
  ['type("a") == string', "condition/not-allowed", 'type("a")', 'string("a") == "a"'],
  ["string == string", "condition/not-allowed", "string", "claims.string == claims.string"],
  ["dyn(1) == 1", "condition/not-allowed", "dyn(1)", "int(1) == 1"],
  ["google.protobuf.Timestamp == google.protobuf.Timestamp", "condition/not-allowed", "google", "now == now"],
  [
    'now.getHours("Europe/Berlin") == 1',
    "condition/not-allowed",
    'now.getHours("Europe/Berlin")',
    "now.getHours() == 1",
  ],
  ['{"a": 1} == {"a": 1}', "condition/not-allowed", '{"a": 1}', "[1] == [1]"],
  ['b"a" == b"a"', "condition/not-allowed", 'b"a"', '"a" == "a"'],
  ["1u == 1u", "condition/not-allowed", "1u", "1 == 1"],
  ['bytes("a") == bytes("a")', "condition/not-allowed", 'bytes("a")', '"a" == "a"'],
  ['int_("") == 0', "condition/not-allowed", 'int_("")', 'int("0") == 0'],
  ["traced_(true)", "condition/not-allowed", "traced_(true)", "true"],
  ['"a".lowerAscii_() == "a"', "condition/not-allowed", '"a".lowerAscii_()', '"a".lowerAscii() == "a"'],
  ["optional.none() == optional.none()", "condition/not-allowed", "optional.none()", "has(claims.a)"],
  ['"a".size("b") == 1', "condition/not-allowed", '"a".size("b")', '"a".size() == 1'],
  ["true == 1 < 2", "condition/not-allowed", "true == 1 < 2", "true == (1 < 2)"],
  ['(true) != "a" in claims', "condition/not-allowed", '(true) != "a" in claims', '(true) != ("a" in claims)'],
  // Constants.
  ["claims.a / 0 == 1", "condition/literal", "0", "claims.a / 1 == 1"],
  ["1 % 0 == 1", "condition/literal", "0", "1 % 2 == 1"],
  ["9223372036854775808 > 1", "condition/literal", "9223372036854775808", "9223372036854775807 > 1"],
  ["-9223372036854775809 < 1", "condition/literal", "9223372036854775809", "-9223372036854775808 < 1"],
  ["0x8000000000000000 > 1", "condition/literal", "0x8000000000000000", "0x7fffffffffffffff > 1"],
  [
    'now > timestamp("2024-02-30T00:00:00Z")',
    "condition/literal",
    '"2024-02-30T00:00:00Z"',
    'now > timestamp("2024-02-29T00:00:00Z")',
  ],
  ['now > timestamp("yesterday")', "condition/literal", '"yesterday"', 'now > timestamp("2024-02-29T00:00:00Z")'],
  ['now - now > duration("h")', "condition/literal", '"h"', 'now - now > duration("1h")'],
  ['now - now > duration("1")', "condition/literal", '"1"', 'now - now > duration("0")'],
  ['int("0b11") == 3', "condition/literal", '"0b11"', 'int("3") == 3'],
  ['ip("10.0.0.256") == source.address', "condition/literal", '"10.0.0.256"', 'ip("10.0.0.25") == source.address'],
  [
    'cidr("10.0.0.0/33").containsIP(source.address)',
    "condition/literal",
    '"10.0.0.0/33"',
    'cidr("10.0.0.0/8").containsIP(source.address)',
  ],
  [
    "cidr(request.host).containsIP(source.address)",
    "condition/literal",
    "request.host",
    'cidr("::/0").containsIP(source.address)',
  ],
  ['r"\\"" == "a"', "condition/literal", 'r"\\""', '"\\"" == "a"'],
  ['request.headers["X-Role"] == "a"', "condition/literal", '"X-Role"', 'request.headers["x-role"] == "a"'],
  ['"X-Role" in request.headerLines', "condition/literal", '"X-Role"', '"x-role" in request.headerLines'],
  ['request.headers[":path"] == "/"', "condition/literal", '":path"', 'request.path == "/"'],
  ['request.method == "get"', "condition/literal", '"get"', 'request.method == "GET"'],
  ['request.method in ["GET", "Head"]', "condition/literal", '"Head"', 'request.method in ["GET", "HEAD"]'],
  ['"admin" == request.path', "condition/literal", '"admin"', '"/admin" == request.path'],
  [
    'source.principal == "spiffe://a/ns/b/sa/c"',
    "condition/literal",
    '"spiffe://a/ns/b/sa/c"',
    'source.principal == "a/ns/b/sa/c"',
  ],
  ['source.address == "::0001"', "condition/literal", '"::0001"', 'source.address == "::1"'],
  ['remote.address != "10.0.0.0/8"', "condition/literal", '"10.0.0.0/8"', 'remote.address != "10.0.0.0"'],
  ['connection.sni == "A.example"', "condition/literal", '"A.example"', 'connection.sni == "a.example"'],
  // Patterns.
  ['request.path.matches("(")', "condition/pattern", '"("', 'request.path.matches("\\\\(")'],
  ['request.path.matches("(?=a)a")', "condition/pattern", '"(?=a)a"', 'request.path.matches("(?:a)a")'],
  ['request.path.matches("(a)\\\\1")', "condition/pattern", '"(a)\\\\1"', 'request.path.matches("(a)a")'],
  ["request.path.matches(request.host)", "condition/pattern", "request.host", 'request.path.matches("a")'],
  ['request.path.matches("a" + "b")', "condition/pattern", '"a" + "b"', 'request.path.matches("ab")'],
  ['request.path.matches("a{101}")', "condition/pattern", '"a{101}"', 'request.path.matches("a{100}")'],
  ['request.path.matches("a{1,101}")', "condition/pattern", '"a{1,101}"', 'request.path.matches("a{1,100}")'],
  [
    'request.path.matches("(?:a{20}){20}")',
    "condition/pattern",
    '"(?:a{20}){20}"',
    'request.path.matches("(?:a{10}){10}")',
  ],
  [
    `request.path.matches("${"a".repeat(limits.pattern + 1)}")`,
    "condition/pattern",
    `"${"a".repeat(limits.pattern + 1)}"`,
    `request.path.matches("${"a".repeat(200)}")`,
  ],
  ['pathTemplate(request.path, "/a/*")', "condition/pattern", '"/a/*"', 'pathTemplate(request.path, "/a/{*}")'],
  [
    'pathTemplate(request.path, "/a/{**}/{*}")',
    "condition/pattern",
    '"/a/{**}/{*}"',
    'pathTemplate(request.path, "/a/{*}/{**}")',
  ],
  ["glob(request.host, request.path)", "condition/pattern", "request.path", 'glob(request.host, "*")'],
  ['"a".matches("b") == glob(1, "a")', "condition/type", "1", '"a".matches("b") == glob("1", "a")'],
];

describe("expressions that are refused", () => {
  for (const [text, code, underlined, twin] of cases) {
    it(`${text.slice(0, 100)}: ${code}`, () => {
      const fault = faultOf(text);
      assert.equal(fault.code, code, fault.message);
      assert.equal(fault.underlined, underlined);
      assert.match(fault.message, /^[^A-Z\n][^\n]*[^.\n]$/);
      compiled(twin);
    });
  }

  it("names the members of a root, and functions that are like the one that is not there", () => {
    assert.match(faultOf("request.verb == 1").help!, /method, scheme, host/);
    assert.match(faultOf("now.size(1) == 1").help!, /size\(x\)/);
    assert.match(faultOf('request.headers["X-Role"] == "a"').help!, /`x-role`/);
    assert.match(faultOf("claims.admin").help!, /== true/);
  });

  it("says nothing of the names that our functions have inside", () => {
    assert.doesNotMatch(faultOf("size(1) == 1").message, /_/);
    assert.match(faultOf("size(1) == 1").message, /size\(int\)/);
  });
});

describe("bounds of expressions", () => {
  const chain = (count: number, part: string, operator: string) => new Array(count).fill(part).join(operator);
  const both: readonly (readonly [string, string, string])[] = [
    ["text", `true //${" ".repeat(limits.textLength)}`, `true //${" ".repeat(limits.textLength - 7)}`],
    ["parts of a chain", chain(601, "true", " && "), chain(300, "true", " && ")],
    ["negations", `${"!".repeat(700)}true`, `${"!".repeat(500)}true`],
    ["brackets", `${"(".repeat(100)}true${")".repeat(100)}`, `${"(".repeat(50)}true${")".repeat(50)}`],
    ["members", `claims${".a".repeat(100)} == 1`, `claims${".a".repeat(50)} == 1`],
    ["loops in loops in loops", "[1].all(a, [1].all(b, [1].all(c, c == 1)))", "[1].all(a, [1].all(b, b == 1))"],
    ["loops over requests in each other", "claims.a.all(a, claims.b.all(b, a == b))", "claims.a.all(a, a in claims.b)"],
    [
      "long loops over written lists",
      `[${chain(250, '"1"', ",")}].all(a, [${chain(250, '"1"', ",")}].all(b, int(a) == int(b)))`,
      `[${chain(20, "1", ",")}].all(a, [${chain(20, "1", ",")}].all(b, a == b))`,
    ],
  ];
  for (const [what, over, within] of both) {
    it(what, () => {
      assert.equal(faultOf(over).code, "condition/too-complex");
      compiled(within);
    });
  }

  it("ends with a fault for five thousand terms, nested or in a row", () => {
    for (const text of [
      chain(5000, "true", "&&"),
      `${"[".repeat(2000)}${"]".repeat(2000)} == []`,
      `${"-".repeat(4000)}1 == 1`,
    ])
      assert.equal(faultOf(text).code, "condition/too-complex");
  });

  it("counts more work for more", () => {
    assert.ok(compiled("claims.a.exists(x, x in claims.b)").cost > compiled('"x" in claims.b').cost);
    assert.ok(compiled('request.path.matches("a{50}")').cost > compiled('request.path.matches("a")').cost);
    assert.ok(compiled("true").cost <= 2);
  });
});

describe("values", () => {
  const place = { beforeTokens: false };
  it("are text", () => {
    for (const text of ["claims.sub", "1", "request.method == request.host", "[request.method]"]) {
      const result = compileValue(text, place);
      assert.ok(!result.ok);
      assert.deepEqual([result.fault.code, result.fault.help], ["condition/type", "write `string(…)` around it"]);
    }
    for (const text of ["string(claims.sub)", '"a" + request.method', "string(now)"])
      assert.ok(compileValue(text, place).ok, text);
  });

  it("read no tokens before they were looked at", () => {
    const result = compileValue("string(claims.sub)", { beforeTokens: true });
    assert.equal(!result.ok && result.fault.code, "condition/claims-before-tokens");
  });
});
