import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Facts, UNKNOWN_FACT } from "#policy-compiler/conditions/contract";
import { compiled } from "#test/support/conditions/compiled";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";

/** Every part with what is shown, indented by depth. */
function trace(text: string, facts: Facts = makeFacts()): readonly string[] {
  return compiled(text)
    .trace(facts)
    .map(({ start, end, depth, shown }) => `${" ".repeat(depth)}${text.slice(start, end)} => ${shown}`);
}

describe("the trace of a condition", () => {
  it("shows every part, outermost first, with its brackets", () => {
    assert.deepEqual(trace('(request.method == "PUT" || claims.level >= 3) && source.address == "10.0.0.1" // who'), [
      '(request.method == "PUT" || claims.level >= 3) && source.address == "10.0.0.1" => true',
      ' request.method == "PUT" || claims.level >= 3 => true',
      '  request.method == "PUT" => false',
      '   request.method => "GET"',
      "  claims.level >= 3 => true",
      "   claims.level => 3.0",
      ' source.address == "10.0.0.1" => true',
      '  source.address => "10.0.0.1"',
    ]);
  });

  it("does not go into loops, nor through chains of members", () => {
    assert.deepEqual(
      trace('claims.groups.exists(g, g == "admins") && has(claims.org.id) && claims.org["id"] == "x"').slice(2),
      [
        '  claims.groups.exists(g, g == "admins") => true',
        '   claims.groups => ["users", "admins"]',
        "  has(claims.org.id) => true",
        ' claims.org["id"] == "x" => true',
        '  claims.org["id"] => "x"',
      ],
    );
  });

  it("says why a part has no value, and goes on with the others", () => {
    const facts = makeFacts({ remoteAddress: UNKNOWN_FACT, claims: { big: new Array(300).fill(1) } });
    const text = 'remote.address == "10.0.0.1" || claims.big == 1 || connection.tls';
    assert.deepEqual(trace(text, facts).slice(1), [
      ' remote.address == "10.0.0.1" || claims.big == 1 => unknown: the request did not bring `remote.address`',
      '  remote.address == "10.0.0.1" => unknown: the request did not bring `remote.address`',
      "   remote.address => unknown: the request did not bring `remote.address`",
      "  claims.big == 1 => unknown: `claims` is too large",
      "   claims.big => unknown: `claims` is too large",
      " connection.tls => true",
    ]);
    assert.deepEqual(trace("claims.nothing == 1"), [
      "claims.nothing == 1 => unknown: it fails (no_such_key)",
      " claims.nothing => unknown: it fails (no_such_key)",
    ]);
  });

  it("writes values as CEL does, cut and on one line", () => {
    const facts = makeFacts({
      claims: {
        text: 'a"\n\u202e'.replace("\u202e", "\xe2\x80\xae"),
        long: "x".repeat(500),
        list: [1, 2.5, true, null, { a: 1 }, [1], 7, 8, 9],
      },
    });
    const shown = (text: string) =>
      compiled(text)
        .trace(facts)
        .find(({ depth }) => depth === 1)!.shown;
    assert.equal(shown('claims.text == "a"'), '"a\\"\\u{a}\\u{202e}"');
    assert.ok(shown('claims.long == "a"').length <= 121);
    assert.equal(shown("claims.list == [1]"), '[1.0, 2.5, true, null, {"a": 1.0}, [1.0], 7.0, 8.0, … 9 in all]');
    assert.equal(shown("now < timestamp(0)"), 'timestamp("2026-01-05T09:30:00.000Z")');
    assert.equal(shown('now - timestamp("2026-01-05T09:00:00Z") < duration("1h")'), 'duration("1800s")');
    assert.equal(shown("request.size == 1"), "12");
  });

  it("agrees with the evaluation on every outermost part", () => {
    for (const text of [
      "true",
      'request.method == "PUT"',
      "claims.level in [1, 3]",
      "claims.nothing == 1",
      '!has(claims.sub) || glob(request.host, "*.com")',
    ]) {
      const condition = compiled(text);
      const { value } = condition.evaluate(makeFacts());
      const first = condition.trace(makeFacts())[0];
      if (text === "true") assert.equal(first, undefined);
      else assert.equal(first!.shown.startsWith("unknown") ? undefined : first!.shown === "true", value, text);
    }
  });
});

describe("what a trace does not show", () => {
  const secret = "s3cr3t-s3cr3t";
  const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
  const facts = makeFacts({
    request: requestFacts(
      {
        authorization: [`Bearer ${secret}`],
        cookie: [`a=${secret}`],
        "x-api-key": [secret],
        "x-jwt": [token],
        "x-plain-2": [token],
        "x-access": [`Bearer ${secret}`],
        "x-lines": ["a", `basic  ${secret}`],
        "x-pwd": [secret],
        dpop: [secret],
        "x-plain": ["plain"],
      },
      { target: `/p?access_token=${secret}&page=1` },
    ),
    claims: { token, page: "1" },
  });
  const hidden = [
    `request.headers["authorization"].split(" ")[1] == "a"`,
    `request.headers.cookie == "a"`,
    `request.headerLines["x-api-key"] == ["a"]`,
    `request.headers[claims.page + "x"] == "a" || request.headers["x-api" + "-key"] == "b"`,
    `request.headers.map(name, request.headers[name]) == ["a"]`,
    `request.query["access_token"] == ["a"]`,
    `request.query.map(name, request.query[name][0]) == ["a"]`,
    `request.target == "/a" || request.target.substring(2) == "a"`,
    `request.headers["x-jwt"].split(".")[2] == "a"`,
    `request.headers["x-plain-2"].split(".")[2] == "a"`,
    `request.headers["x-access"].substring(7) == "a"`,
    `request.headers["x-lines"] == "a"`,
    `request.headerLines["x-lines"][1] == "a"`,
    `request.headers["x-pwd"] == "a"`,
    `request.headers.dpop == "a"`,
    `claims.token.split(".")[2] == "a"`,
    `(connection.tls ? request.headers["x-api-key"] : "") == "a"`,
  ];
  for (const text of hidden) {
    it(text, () => {
      const shown = compiled(text)
        .trace(facts)
        .map((part) => part.shown);
      assert.doesNotMatch(shown.join("\n"), /s3cr3t|c2lnbmF0/);
      assert.ok(shown.includes("(not shown)"), shown.join("\n"));
    });
  }

  it("while what is no secret is shown", () => {
    const text = 'request.headers["x-plain"] == "plain" && request.query["page"] == ["1"] && claims.page == "1"';
    const shown = compiled(text)
      .trace(facts)
      .map((part) => part.shown);
    assert.deepEqual(
      shown.filter((part) => part !== "true"),
      ['"plain"', '["1"]', '"1"'],
    );
  });
});
