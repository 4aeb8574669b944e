import assert from "node:assert/strict";
import { test } from "node:test";
import { compileCondition } from "#policy-compiler/conditions/compile";
import type { Facts } from "#policy-compiler/conditions/contract";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";
import { generateExpression } from "#test/support/conditions/generate-expression";
import { secondOpinion } from "#test/support/conditions/second-opinion";
import { Random, testSeed } from "#test/support/random";

const runs = process.env["GARITA_LONG"] === "1" ? 100_000 : 10_000;

test(`${runs} generated expressions come to what another implementation of CEL makes of them`, () => {
  const seed = testSeed("expressions");
  const random = new Random(seed);
  const outcomes = { true: 0, false: 0, error: 0, refused: 0 };
  const differences: string[] = [];
  for (let run = 0; run < runs; run++) {
    const expression = generateExpression(random);
    const facts = generateFacts(random);
    const compiled = compileCondition(expression, { beforeTokens: false });
    if (!compiled.ok) {
      outcomes.refused++;
      continue;
    }
    const { value } = compiled.condition.evaluate(facts);
    const ours = value === undefined ? "error" : value;
    outcomes[`${ours}`]++;
    const theirs = secondOpinion(expression, facts);
    if (ours !== theirs) differences.push(`run ${run}: ours ${ours}, theirs ${String(theirs)}: ${expression}`);
  }
  assert.deepEqual(differences.slice(0, 5), [], `GARITA_SEED=${seed}`);
  // The generator makes what says something: most compiles, and comes to every outcome often.
  assert.ok(outcomes.refused < runs / 4, JSON.stringify(outcomes));
  for (const outcome of ["true", "false", "error"] as const)
    assert.ok(outcomes[outcome] > runs / 20, JSON.stringify(outcomes));
});

test("chains of operators without brackets, and ways to write constants, are read as another implementation reads them", () => {
  const seed = testSeed("chains");
  const random = new Random(seed);
  const facts = makeFacts();
  const operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "?"];
  const signs = ["", "", "", "-", "!"];
  const outcomes = { agreed: 0, refused: 0 };
  for (let run = 0; run < runs; run++) {
    let text = constant(random);
    for (let more = random.below(5); more > 0; more--) {
      const operator = random.pick(operators);
      const next = () => `${random.pick(signs)}${constant(random)}`;
      text = operator === "?" ? `${text} ? ${next()} : ${next()}` : `${text} ${operator} ${next()}`;
    }
    const compiled = compileCondition(text, { beforeTokens: false });
    if (!compiled.ok) {
      outcomes.refused++;
      continue;
    }
    const ours = compiled.condition.evaluate(facts).value ?? "error";
    // It wants a line break behind a comment.
    assert.equal(ours, secondOpinion(`${text}\n`, facts), `GARITA_SEED=${seed}: ${text}`);
    outcomes.agreed++;
  }
  assert.ok(outcomes.agreed > runs / 50, JSON.stringify(outcomes));
});

const letters = [
  "a",
  "\\n",
  "\\\\",
  "\\x41",
  "\\u00e9",
  "\\U0001F600",
  "\\101",
  "'",
  '\\"',
  " ",
  "//",
  "(",
  "é",
  "\\'",
];

function constant(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return random.pick(["true", "false", "connection.tls", "null"]);
    case 1:
      return random.pick(["0", "1", "2", "3", "0x1F", "9223372036854775807", "007"]);
    case 2:
      return random.pick(["1.5", "1e3", "2.", "1.0E-2", ".5", "3.0"]);
    case 3: {
      const quote = random.pick(['"', '"""', "'", "'''"]);
      const body = Array.from({ length: random.below(4) }, () => random.pick(letters)).join("");
      return `${random.pick(["", "", "r", "R"])}${quote}${body}${quote}`;
    }
    case 4:
      return random.pick(["[1, 2]", '["a", "A"]', "[true]", "[]", "request.pathSegments"]);
    default:
      return random.pick(["request.method", "destination.port", "claims.level", "claims.sub", "size(request.path)"]);
  }
}

/** Requests with every attribute known, some absent. Text is byte strings. */
function generateFacts(random: Random): Facts {
  const texts = ["", "a", "b", "admin", "users", "GET", "7", "\xc3\x84", "\xef\xbc\x80", "a,b"];
  const some = () => random.pick(texts);
  const list = () => Array.from({ length: random.below(4) }, some);
  const claims = {
    sub: random.pick(["alice", "7", "a b", "\xc3\x84"]),
    level: random.pick([0, 1, 3, -2.5, 1e300]),
    groups: list(),
    org: random.pick<object>([{ id: some(), a: 1.5 }, {}, JSON.parse('{ "constructor": "a" }')]),
    mixed: [random.below(3), some(), random.below(2) === 0, null, list(), { a: 1 }],
    nothing: null,
    flag: random.below(2) === 0,
    ...(random.below(4) === 0 ? { missing: some() } : {}),
  };
  return makeFacts({
    request: requestFacts(
      { "x-a": [some(), some()], ...(random.below(2) === 0 ? { "x-b": [some()] } : {}) },
      { method: random.pick(["GET", "POST", "a"]), path: random.pick(["/", "/a", "/users/7", "/\xc3\x84/b"]) },
    ),
    sourcePrincipal: random.pick(["spiffe://cluster.local/ns/web/sa/nginx", undefined]),
    claims: random.below(8) === 0 ? undefined : claims,
    tokens: random.below(3) === 0 ? undefined : [claims, { sub: some() }].slice(0, 1 + random.below(2)),
  });
}
