import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import { type Facts, UNKNOWN_FACT } from "#policy-compiler/conditions/contract";
import { createActivation } from "#policy-compiler/conditions/environment";
import { createProgram, parseExpression } from "#policy-compiler/conditions/program";
import { compiled, outcomeOf } from "#test/support/conditions/compiled";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";

describe("what a condition comes to", () => {
  const cases: readonly (readonly [string, boolean | string])[] = [
    ["claims.nothing == 1 || true", true],
    ["true || claims.nothing == 1", true],
    ["claims.nothing == 1 && false", false],
    ["false && claims.nothing == 1", false],
    ["claims.nothing == 1 || false", "condition/error no_such_key"],
    ["claims.nothing == 1 && true", "condition/error no_such_key"],
    ["!(claims.nothing == 1)", "condition/error no_such_key"],
    ["claims.nothing == 1 ? true : true", "condition/error no_such_key"],
    ["has(claims.nothing.deeper)", "condition/error no_such_key"],
    ["has(claims.nothing) && has(claims.nothing.deeper)", false],
    ['claims.level == "3" || claims.sub == 3 || claims.groups == "users"', false],
    ["claims.sub < 3", "condition/error no_such_overload"],
    ['claims.level == 3 ? claims.sub == "alice" : false', true],
    ["(claims.sub) ? true : false", "condition/error invalid_condition_type"],
    ["claims.sub || false", "condition/error invalid_logical_operand"],
    ["claims.flag ? true : false", "condition/error no_such_key"],
  ];
  for (const [text, expected] of cases) {
    it(`${text} -> ${expected}`, () => assert.equal(outcomeOf(text, makeFacts()), expected));
  }

  it("is unknown, unevaluated, if anything that it reads is unknown, whatever the rest says", () => {
    const facts = makeFacts({ remoteAddress: UNKNOWN_FACT });
    for (const text of [
      'true || remote.address == "10.0.0.1"',
      'false && remote.address == "10.0.0.1"',
      "has(remote.address)",
    ])
      assert.equal(outcomeOf(text, facts), "condition/unknown-attribute remote.address");
    assert.equal(outcomeOf('true || source.address == "10.0.0.9"', facts), true);
  });

  it("is the same for the same text and facts, however often it is asked and in whatever order", () => {
    const texts = [
      'claims.groups.exists(g, g == "admins")',
      "claims.nothing == 1",
      'request.path.startsWith("/users")',
    ];
    const conditions = texts.map(compiled);
    const others = makeFacts({ claims: { groups: [] } });
    const first = conditions.map((condition) => condition.evaluate(makeFacts()));
    for (const condition of conditions) condition.evaluate(others);
    assert.deepEqual(
      conditions.map((condition) => condition.evaluate(makeFacts())),
      first,
    );
    assert.deepEqual(
      texts.map((text) => compiled(text).evaluate(makeFacts())),
      first,
    );
  });

  it("tells nothing of the request when it fails", () => {
    const secret = "hunter2-hunter2";
    const facts = makeFacts({
      request: requestFacts({ "x-a": [secret] }),
      claims: { [secret]: { deep: secret }, a: secret, list: [secret] },
    });
    const texts = [
      'claims[request.headers["x-a"]].other == 1',
      'int(request.headers["x-a"]) == 1',
      "bool(claims.a)",
      'timestamp(request.headers["x-a"]) == now',
      "claims.a < 1",
      'claims.list[claims.a] == "x"',
      'ip(request.headers["x-a"]) == "1"',
      "claims.a.b.c == 1",
    ];
    for (const text of texts) {
      const result = compiled(text).evaluate(facts);
      assert.ok(result.value === undefined, text);
      assert.doesNotMatch(JSON.stringify(result), /hunter2/);
    }
  });
});

describe("what callers control", () => {
  it("is data, whatever its members are called", () => {
    const claims = JSON.parse(
      '{"constructor":"a","__proto__":{"admin":true},"prototype":1,"toString":"b","hasOwnProperty":"c","then":"d","length":3}',
    );
    const facts = makeFacts({ claims });
    assert.equal(
      outcomeOf(
        'claims.constructor == "a" && claims.toString == "b" && claims.then == "d" && claims.length == 3',
        facts,
      ),
      true,
    );
    assert.equal(outcomeOf("claims.admin == true", facts), "condition/error no_such_key");
    assert.equal(outcomeOf('has(claims.admin) || has(claims.valueOf) || "isPrototypeOf" in claims', facts), false);
    assert.equal(outcomeOf('claims["__proto__"].admin == true', facts), true);
    assert.equal(outcomeOf('claims.exists(name, name == "constructor") && claims.size() == 7', facts), true);
  });

  it("shows nothing of a polluted prototype", () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>;
    const names = ["admin", "size", "sni", "principal", "path"];
    const texts = [
      "has(claims.admin)",
      "has(claims.org.admin)",
      "has(request.size)",
      "has(connection.sni)",
      "has(source.principal)",
    ];
    const conditions = texts.map(compiled);
    const facts = makeFacts({
      request: requestFacts({}, { size: undefined }),
      sni: undefined,
      sourcePrincipal: undefined,
    });
    try {
      for (const name of names) polluted[name] = "polluted";
      for (const [i, condition] of conditions.entries())
        assert.deepEqual(condition.evaluate(facts), { value: false }, texts[i]);
      assert.equal(outcomeOf('claims.admin == "polluted"', facts), "condition/error no_such_key");
    } finally {
      for (const name of names) delete polluted[name];
    }
  });

  it("is never a promise, a function or an object of a class", () => {
    const odd: readonly unknown[] = [
      Promise.resolve(true),
      () => true,
      Symbol("a"),
      new Map([["b", true]]),
      new (class A {})(),
      1n,
      undefined,
    ];
    for (const value of odd) {
      assert.equal(outcomeOf("claims.a == true", makeFacts({ claims: { a: value } })), "condition/error not_a_value");
      const facts = makeFacts({ request: requestFacts({}, { method: value as string }) });
      if (value !== undefined) assert.equal(outcomeOf('request.method == "GET"', facts), "condition/error not_a_value");
    }
    const tls = makeFacts({ tls: Promise.resolve(true) as unknown as boolean });
    assert.match(String(outcomeOf("connection.tls", tls)), /^condition\/error/);
    assert.match(String(outcomeOf("connection.tls ? true : true", tls)), /^condition\/error/);
  });

  it("does not make an evaluation throw, not even when facts do", () => {
    const facts = Object.defineProperty({ ...makeFacts() }, "sni", {
      get: () => {
        throw new TypeError("secret");
      },
    }) as Facts;
    const condition = compiled('connection.sni == "a.example.com"');
    assert.deepEqual(condition.evaluate(facts), { fault: { code: "condition/error", library: "exception" } });
    assert.deepEqual(condition.evaluate(makeFacts()), { value: true });
  });

  it("cannot enter a condition that is being evaluated", () => {
    const condition = compiled('connection.sni == "a.example.com"');
    let inner: unknown;
    const facts = Object.defineProperty({ ...makeFacts() }, "sni", {
      get: () => {
        inner = condition.evaluate(makeFacts());
        return "a.example.com";
      },
    }) as Facts;
    assert.deepEqual(condition.evaluate(facts), { value: true });
    assert.deepEqual(inner, { fault: { code: "condition/error", library: "entered_again" } });
    assert.deepEqual(condition.evaluate(makeFacts()), { value: true });
  });

  it("leaves the depth of stack traces as it was", () => {
    const before = Error.stackTraceLimit;
    compiled("claims.nothing == 1").evaluate(makeFacts());
    assert.equal(Error.stackTraceLimit, before);
    assert.ok(new Error("a").stack!.includes("evaluation.test"));
  });
});

describe("after an evaluation", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");

  async function isKept(kept: WeakRef<object>): Promise<boolean> {
    for (let i = 0; i < 10 && kept.deref() !== undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    return kept.deref() !== undefined;
  }

  for (const text of [
    'workload.labels.exists(x, x == "app")',
    'workload.labels["app"] == "reviews"',
    'workload.labels["nothing"] == "reviews"',
    "workload.labels.map(x, workload.labels).size() == 1",
  ]) {
    it(`nothing of the request is kept: ${text}`, async () => {
      const condition = compiled(text);
      const kept = (() => {
        const labels = new Map([["app", "reviews"]]);
        condition.evaluate(makeFacts({ workload: { namespace: "a", name: undefined, labels } }));
        return new WeakRef(labels);
      })();
      assert.equal(await isKept(kept), false);
      assert.equal(typeof condition.evaluate, "function");
    });
  }

  it("loops let go of what they ran over", async () => {
    const parsed = parseExpression('claims.list.exists(x, x.name == "b") && claims.list.map(x, x).size() == 1');
    parsed.check();
    const program = createProgram(parsed);
    const run = () => {
      const item = new Map([["name", "a"]]);
      const activation = createActivation();
      activation["claims"] = new Map([["list", [item]]]);
      program.run(activation);
      activation["claims"] = undefined;
      return new WeakRef(item);
    };
    // The twin: without `forget` it is kept.
    assert.equal(await isKept(run()), true);
    const kept = run();
    program.forget();
    assert.equal(await isKept(kept), false);
  });
});

describe("values", () => {
  it("come as byte strings, or not at all", () => {
    const run = (text: string, facts: Facts) => {
      const result = compileValue(text, { beforeTokens: false });
      assert.ok(result.ok);
      assert.deepEqual(result.value.attributes, [...result.value.attributes].sort());
      return result.value.evaluate(facts);
    };
    const facts = makeFacts({ claims: { sub: "\xc3\xa9", n: 1 } });
    assert.deepEqual(run('"user " + string(claims.sub)', facts), { value: "user \xc3\xa9" });
    assert.deepEqual(run('request.method + " " + workload.namespace', facts), { value: "GET shop" });
    assert.deepEqual(run("string(claims.nothing)", facts), {
      fault: { code: "condition/error", library: "no_such_key" },
    });
    assert.deepEqual(run("remote.address", makeFacts({ remoteAddress: UNKNOWN_FACT })), {
      fault: { code: "condition/unknown-attribute", attribute: "remote.address" },
    });
    const dyn = compileCondition('(true ? claims.n : "a") == "a"', { beforeTokens: false });
    assert.ok(dyn.ok && dyn.condition.evaluate(facts).value === false);
  });
});
