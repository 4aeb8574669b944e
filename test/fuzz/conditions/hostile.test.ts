import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { attributes } from "#policy-compiler/conditions/attributes";
import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import type { Facts } from "#policy-compiler/conditions/contract";
import { functions } from "#policy-compiler/conditions/functions";
import { limits } from "#policy-compiler/conditions/limits";
import { compiled, outcomeOf } from "#test/support/conditions/compiled";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";
import { generateExpression } from "#test/support/conditions/generate-expression";
import { Random } from "#test/support/random";

const numRuns = process.env["GARITA_LONG"] === "1" ? 50_000 : 3_000;
const place = { beforeTokens: false };

/** What expressions are made of, and what the library has beside it. */
const piece = fc.constantFrom(
  ...attributes.map(({ name }) => name),
  ...functions.map(({ written }) => written),
  ...'( ) [ ] { } . , ? : ! - + * / % < > == != <= >= in && || " \' """ r" b" \\ // \n é \u{1f600} \0 $ ` # @'.split(
    " ",
  ),
  ..."1 0 -1 1u 1.5 1e400 0x 9223372036854775808 true false null [] {}".split(" "),
  ..."cel.bind( dyn( type( optional.of( google.protobuf.Timestamp int_( traced_( __proto__ constructor prototype matches( .? [?".split(
    " ",
  ),
  '"(a+)+$"',
  '"a{1000}{1000}"',
  '"(?=a)"',
  "x",
  ".exists(x, ",
  ".map(x, ",
);

describe("any text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join("")),
    fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(" ")),
    fc.tuple(fc.nat(), fc.nat(), piece).map(([seed, at, inserted]) => {
      const expression = generateExpression(new Random(seed));
      const place = at % (expression.length + 1);
      return expression.slice(0, place) + inserted + expression.slice(place + (at % 3));
    }),
  );

  it("is a condition or a fault inside the text, in one line; what compiles comes to a bool or a fault, and traces", () => {
    const facts = makeFacts();
    fc.assert(
      fc.property(text, (expression) => {
        const result = compileCondition(expression, place);
        assert.equal(compileCondition(expression, place).ok, result.ok);
        if (!result.ok) {
          const { start, end, message, help } = result.fault;
          assert.ok(
            0 <= start && start <= end && end <= expression.length,
            `${start} to ${end} of ${expression.length}`,
          );
          assert.doesNotMatch(`${message}${help ?? ""}`, /[\p{Cc}\u2028\u2029]/u);
          return;
        }
        assert.ok(result.condition.cost <= limits.cost);
        const outcome = result.condition.evaluate(facts);
        assert.ok(typeof outcome.value === "boolean" || outcome.fault !== undefined);
        for (const { start, end } of result.condition.trace(facts)) assert.ok(start < end && end <= expression.length);
        assert.ok(!compileValue(expression, place).ok);
      }),
      { numRuns, verbose: 1 },
    );
  });
});

describe("any request", () => {
  const expressions = attributes.map(({ example }) => compiled(example));
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  });
  const json = fc
    .jsonValue({ maxDepth: 5 })
    .map((value) => JSON.parse(JSON.stringify(value).replace(/[\u0100-\uffff]/g, "x")));
  const members = fc.dictionary(fc.oneof(bytes, fc.constantFrom("constructor", "__proto__", "groups", "iss")), json, {
    noNullPrototype: false,
  });

  it("never makes an example throw, nor come to anything but a bool or a fault", () => {
    fc.assert(
      fc.property(bytes, bytes, members, fc.array(bytes), (text, other, claims, lines) => {
        const facts: Facts = makeFacts({
          request: requestFacts(
            { "x-tenant": lines, "x-role": [text], [other]: [text] },
            { path: text, target: other, host: text, method: other },
          ),
          sourcePrincipal: `spiffe://${text}`,
          sni: other,
          claims,
          tokens: [claims],
          workload: { namespace: text, name: other, labels: new Map([[text, other]]) },
        });
        for (const expression of expressions) {
          const outcome = expression.evaluate(facts);
          assert.ok(typeof outcome.value === "boolean" || outcome.fault !== undefined, expression.text);
        }
      }),
      { numRuns, verbose: 1 },
    );
  });
});

describe("what would hold a server up", () => {
  const header = (value: string) => makeFacts({ request: requestFacts({ "x-a": [value] }) });
  const claims = (value: unknown) => makeFacts({ claims: { a: value, b: value } as Record<string, unknown> });

  it("patterns that backtrack elsewhere end at once, with the right answer", () => {
    const many = "a".repeat(4_000);
    const patterns = [
      ["^(a+)+$", true],
      ["^(a|a)*$", true],
      ["^(a|aa)+$", true],
      ["^(.*a){12}$", true],
      ["^(([a-z])+.)+[A-Z]([a-z])+$", false],
      ["(a*)*b", false],
      ["(x+x+)+y", false],
    ] as const;
    for (const [pattern, expected] of patterns) {
      const text = `request.headers["x-a"].matches("${pattern}")`;
      assert.equal(outcomeOf(text, header(many)), expected, pattern);
      assert.equal(outcomeOf(text, header(`${many}!`)), false, pattern);
    }
  });

  it("lists of a hundred thousand are not walked", () => {
    const long = new Array(100_000).fill("a");
    for (const text of [
      'claims.a.exists(x, x == "b")',
      "claims.a.all(x, true)",
      '"b" in claims.a',
      "claims.a == claims.b",
      "size(claims.a) > 1",
      "true || claims.a == 1",
    ])
      assert.equal(outcomeOf(text, claims(long)), "condition/too-large claims", text);
    const lines = makeFacts({ request: requestFacts({ "x-a": long }) });
    assert.equal(
      outcomeOf('request.headerLines["x-a"].exists(x, x == "b")', lines),
      "condition/too-large request.headerLines",
    );
    assert.equal(outcomeOf('request.headers["x-a"] == "b"', lines), "condition/too-large request.headers");
    const wide = Object.fromEntries(long.map((_, i) => [`k${i}`, i]));
    assert.equal(outcomeOf('claims.a.exists(k, k == "b")', claims(wide)), "condition/too-large claims");
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert.equal(outcomeOf("claims.a == claims.b", claims(deep)), "condition/too-large claims");
  });

  it("loops in which every turn fails are loops of a bounded number of turns", () => {
    let turns = 0;
    const list = Array.from({ length: limits.attributeItems - 2 }, () => "a");
    const counted = new Proxy(list, {
      get(target, name, receiver) {
        if (typeof name === "string" && /^\d+$/.test(name)) turns++;
        return Reflect.get(target, name, receiver);
      },
    });
    assert.equal(outcomeOf("claims.a.exists(x, x.b.c == 1) || true", makeFacts({ claims: { a: counted } })), true);
    assert.equal(
      outcomeOf("claims.a.exists(x, x.b.c == 1)", makeFacts({ claims: { a: counted } })),
      "condition/error no_such_key",
    );
    assert.ok(turns > 0 && turns <= 2 * limits.attributeItems);
  });

  it("text that is made grows to a bound and no further", () => {
    const facts = header("a".repeat(8_000));
    const a = 'request.headers["x-a"]';
    const sum = new Array(12).fill(a).join(" + ");
    assert.equal(outcomeOf(`size(${sum}) > 1`, facts), "condition/error text_too_long");
    assert.equal(outcomeOf(`size(${new Array(8).fill(a).join(" + ")}) == 64000`, facts), true);
    assert.equal(
      outcomeOf(`[${new Array(12).fill(a).join(", ")}].join("").size() > 1`, facts),
      "condition/error text_too_long",
    );
  });
});
