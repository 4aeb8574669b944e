import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attributeByName, attributes } from "#policy-compiler/conditions/attributes";
import { type Facts, UNKNOWN_FACT } from "#policy-compiler/conditions/contract";
import { limits } from "#policy-compiler/conditions/limits";
import { compiled, faultOf, outcomeOf } from "#test/support/conditions/compiled";
import { makeFacts, requestFacts, unknownFacts } from "#test/support/conditions/facts";

describe("the table of attributes", () => {
  it("has names once, and examples that compile and read what they stand for", () => {
    assert.equal(new Set(attributes.map(({ name }) => name)).size, attributes.length);
    for (const { name, example } of attributes) assert.deepEqual(compiled(example).attributes, [name], example);
  });

  for (const { name, example, filledBy } of attributes) {
    const always = filledBy === "workload" || filledBy === "clock";
    it(`${name}: known, its example says true or false; unknown, it says so`, () => {
      const value = compiled(example).evaluate(makeFacts());
      assert.equal(typeof value.value, "boolean", JSON.stringify(value));
      const expected = always ? "boolean" : `condition/unknown-attribute ${name}`;
      const outcome = outcomeOf(example, unknownFacts());
      assert.equal(always ? typeof outcome : outcome, expected);
    });
  }

  it("refuses tokens, and nothing else, where tokens were not looked at", () => {
    for (const { name, example, filledBy } of attributes) {
      if (filledBy === "token") assert.equal(faultOf(example, true).code, "condition/claims-before-tokens", name);
      else assert.deepEqual(compiled(example).attributes, [name]);
    }
    assert.equal(faultOf("connection.tls || has(claims.sub)", true).underlined, "claims");
  });
});

describe("values of attributes", () => {
  const withRequest = (overrides: Parameters<typeof requestFacts>[1], headers = {}) =>
    makeFacts({ request: requestFacts(headers, overrides) });
  const cases: readonly (readonly [string, Facts, boolean | string])[] = [
    ['request.path == "/users/7/files" && request.target.contains("?tenant=a")', makeFacts(), true],
    ['request.pathSegments == ["users", "7", "files"]', makeFacts(), true],
    ["request.pathSegments.size() == 0", withRequest({ path: "/" }), true],
    ['request.pathSegments == ["a", ""]', withRequest({ path: "/a/" }), true],
    ['request.pathSegments == ["", "a"]', withRequest({ path: "//a" }), true],
    ['request.query["tenant"] == ["a", "b"] && request.query["q"] == ["x y"]', makeFacts(), true],
    [
      'request.query["a b"] == ["c&d", ""] && request.query[""] == ["x"]',
      withRequest({ target: "/?a+b=c%26d&a%20b&=x" }),
      true,
    ],
    ["request.query.size() == 0", withRequest({ target: "/p" }), true],
    ['request.query["a"] == ["1"] && !("b" in request.query)', withRequest({ target: "/?a=1#&b=2" }), true],
    ['request.query["a"] == ["%zz%"]', withRequest({ target: "/?a=%zz%" }), true],
    ['request.query["a"] == ["é"]', withRequest({ target: "/?a=%C3%A9" }), true],
    ['"a" in request.query', withRequest({ target: "/?a=%FF" }), "condition/error not_utf_8"],
    ['request.path == "/é"', withRequest({ path: "/\xc3\xa9" }), true],
    ['request.path == "/a"', withRequest({ path: "/\xff" }), "condition/error not_utf_8"],
    ['request.path == "/a"', withRequest({ path: undefined }), "condition/error no_such_key"],
    ["has(request.path)", withRequest({ path: undefined }), false],
    ["has(request.size)", withRequest({ size: undefined }), false],
    ["request.size == 12 && request.size + 1 == 13", makeFacts(), true],
    ['request.headers["x-role"] == "user,admin"', makeFacts(), true],
    ['request.headerLines["x-role"] == ["user", "admin"]', makeFacts(), true],
    ['request.headers["x-none"] == "a"', makeFacts(), "condition/error no_such_key"],
    ['"x-none" in request.headers', makeFacts(), false],
    ["has(request.headers.cookie)", makeFacts(), false],
    ['request.headers.exists(name, name == "x-role") && size(request.headers) == 2', makeFacts(), true],
    ['request.headers.all(name, !name.startsWith(":"))', withRequest({}, { ":path": ["/"], a: ["b"] }), true],
    ['source.address == "10.0.0.1" && remote.address == "192.0.2.9"', makeFacts(), true],
    ['destination.address == "fd00::1" && destination.port == 8080 && source.port == 40000', makeFacts(), true],
    ['source.principal == "cluster.local/ns/web/sa/nginx"', makeFacts(), true],
    [
      'source.trustDomain == "cluster.local" && source.namespace == "web" && source.serviceAccount == "nginx"',
      makeFacts(),
      true,
    ],
    ["has(source.principal) || has(source.namespace)", makeFacts({ sourcePrincipal: undefined }), false],
    ["has(source.principal) && !has(source.namespace)", makeFacts({ sourcePrincipal: "spiffe://td/other" }), true],
    ["has(source.principal)", makeFacts({ sourcePrincipal: "https://td/ns/a/sa/b" }), false],
    ["has(connection.sni)", makeFacts({ sni: undefined }), false],
    ['workload.labels["app"] == "reviews" && workload.namespace == "shop"', makeFacts(), true],
    ["has(workload.name)", makeFacts({ workload: { namespace: "a", name: undefined, labels: new Map() } }), false],
    ['claims.sub == "alice" && claims.org.id == "x" && claims.level == 3 && claims.level >= 2.5', makeFacts(), true],
    ['"admins" in claims.groups && tokens[0].sub == "alice"', makeFacts(), true],
    [
      "has(claims.sub) || claims.size() > 0 || tokens.size() > 0",
      makeFacts({ claims: undefined, tokens: undefined }),
      false,
    ],
    ["claims.level + 1 == 4", makeFacts(), "condition/error no_such_overload"],
    ["int(claims.level) + 1 == 4", makeFacts(), true],
    ['now == timestamp("2026-01-05T09:30:00Z") && request.time == now', makeFacts(), true],
    ["now.getHours() >= 8 && now.getHours() < 18 && now.getDayOfWeek() in [1, 2, 3, 4, 5]", makeFacts(), true],
    ["now < timestamp(0)", makeFacts({ nowMillis: Number.NaN }), "condition/unknown-attribute now"],
  ];
  for (const [text, facts, expected] of cases) {
    it(`${text} -> ${expected}`, () => assert.equal(outcomeOf(text, facts), expected));
  }

  it("takes several lines that came as one for unknown, where the lines are asked for", () => {
    const joined = (line: string) =>
      withRequest({
        header: (name) => (name === "x-role" ? { lines: [line], joined: true } : undefined),
        headerNames: () => ["x-role"],
      });
    assert.equal(outcomeOf('request.headerLines["x-role"] == ["a"]', joined("a")), true);
    assert.equal(
      outcomeOf('request.headerLines["x-role"] == ["a,b"]', joined("a,b")),
      "condition/unknown-attribute request.headerLines",
    );
    assert.equal(
      outcomeOf('request.headerLines.exists(h, h == "x")', joined("a,b")),
      "condition/unknown-attribute request.headerLines",
    );
    assert.equal(outcomeOf('request.headers["x-role"] == "a,b"', joined("a,b")), true);
  });

  it("looks at those headers alone that the expression names", () => {
    const asked: string[] = [];
    const request = requestFacts(
      {},
      {
        header: (name) => {
          asked.push(name);
          return { lines: [name === "x-a" ? "1" : "\xff".repeat(limits.attributeText)], joined: false };
        },
        headerNames: () => assert.fail("all headers were asked for"),
      },
    );
    assert.equal(
      outcomeOf('request.headers["x-a"] == "1" && has(request.headers.b) == true', makeFacts({ request })),
      "condition/error not_utf_8",
    );
    assert.deepEqual(asked, ["b"]);
    asked.length = 0;
    assert.equal(outcomeOf('request.headers["x-a"] == "1"', makeFacts({ request })), true);
    assert.deepEqual(asked, ["x-a"]);
  });

  it("is not asked for what the expression does not name", () => {
    const facts = new Proxy(makeFacts(), {
      get: (target, name, receiver) =>
        name === "sni" || name === "has" ? Reflect.get(target, name, receiver) : assert.fail(String(name)),
    });
    assert.equal(outcomeOf('connection.sni == "a.example.com"', facts), true);
  });

  it("knows an attribute that is no member of the facts as unknown", () => {
    const { sourcePort: _, ...facts } = makeFacts();
    assert.equal(outcomeOf("source.port > 0", facts), "condition/unknown-attribute source.port");
    assert.equal(outcomeOf("has(source.port)", { ...facts, sourcePort: undefined }), false);
    assert.equal(
      outcomeOf("has(source.port)", { ...facts, sourcePort: UNKNOWN_FACT }),
      "condition/unknown-attribute source.port",
    );
  });
});

describe("attributes that are too large", () => {
  const cases: readonly (readonly [string, string, Partial<Facts>, Partial<Facts>])[] = [
    [
      "request.path",
      'request.path != "/"',
      { request: requestFacts({}, { path: "/".padEnd(limits.attributeText + 1, "a") }) },
      { request: requestFacts({}, { path: "/".padEnd(limits.attributeText, "a") }) },
    ],
    [
      "request.pathSegments",
      "request.pathSegments.size() > 0",
      { request: requestFacts({}, { path: "/a".repeat(257) }) },
      { request: requestFacts({}, { path: "/a".repeat(256) }) },
    ],
    [
      "request.query",
      "request.query.size() > 0",
      { request: requestFacts({}, { target: `/?${"a=1&".repeat(257)}` }) },
      { request: requestFacts({}, { target: `/?${"a=1&".repeat(256)}` }) },
    ],
    [
      "claims",
      "claims.a.size() > 0",
      { claims: { a: new Array(257).fill(1) } },
      { claims: { a: new Array(256).fill(1) } },
    ],
    [
      "claims",
      "claims.a.size() > 0",
      { claims: { a: new Array(200).fill("x".repeat(100)) } },
      { claims: { a: new Array(160).fill("x".repeat(100)) } },
    ],
    ["claims", "claims.size() > 0", { claims: { a: nested(8) } }, { claims: { a: nested(7) } }],
    [
      "claims",
      "claims.size() > 0",
      { claims: { a: new Array(250).fill([1, 2, 3, 4, 5, 6, 7, 8]) } },
      { claims: { a: new Array(200).fill([1, 2, 3, 4, 5, 6, 7, 8]) } },
    ],
    ["tokens", "tokens.size() > 0", { tokens: new Array(257).fill({}) }, { tokens: new Array(256).fill({}) }],
    [
      "workload.labels",
      "workload.labels.size() > 0",
      { workload: { namespace: "a", name: undefined, labels: numbered(257) } },
      { workload: { namespace: "a", name: undefined, labels: numbered(256) } },
    ],
  ];
  for (const [name, text, over, within] of cases) {
    it(`${name}: ${text}`, () => {
      assert.equal(outcomeOf(text, makeFacts(over)), `condition/too-large ${name}`);
      assert.equal(outcomeOf(text, makeFacts(within)), true);
    });
  }
});

function nested(depth: number): unknown {
  return depth === 0 ? "a" : [nested(depth - 1)];
}

function numbered(count: number): ReadonlyMap<string, string> {
  return new Map(Array.from({ length: count }, (_, i) => [`l${i}`, "x"]));
}

it("what is long to read is read once for a request, and anew for another", () => {
  for (const name of ["request.query", "request.headers", "request.headerLines", "claims", "tokens"]) {
    const row = attributeByName.get(name)!;
    const facts = makeFacts();
    const first = row.read(facts, undefined);
    assert.equal(typeof first, "object", name);
    assert.equal(row.read(facts, undefined), first, name);
    const other = row.read(makeFacts(), undefined);
    assert.notEqual(other, first, name);
    assert.deepEqual(other, first, name);
  }
});
