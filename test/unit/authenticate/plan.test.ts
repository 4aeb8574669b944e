import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlan } from "#authz/authenticate/plan";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import { jwtRule } from "#test/support/authenticate/scene";

const sources = (...rules: readonly Partial<JwtRule>[]) =>
  createPlan(rules.map(jwtRule))!.providers.map(({ keySource }) => keySource);

test("no rule, no plan", () => {
  assert.equal(createPlan([]), undefined);
});

test("providers stand in the order of their issuers' bytes, equal ones as they came", () => {
  const rules = ["b", "\u{10000}", "\uffff", "a", "b"].map((issuer, i) => jwtRule({ issuer, jwks: `${i}` }));
  const plan = createPlan(rules)!;
  assert.deepEqual(
    plan.providers.map(({ name, index, rule }) => [name, index, rule.jwks]),
    [
      ["origins-0", 0, "3"],
      ["origins-1", 1, "0"],
      ["origins-2", 2, "4"],
      ["origins-3", 3, "2"],
      ["origins-4", 4, "1"],
    ],
  );
});

test("output headers are those of all providers, in lower case, once", () => {
  const claim = (header: string) => ({ header, claim: "c" });
  const plan = createPlan([
    jwtRule({ outputPayloadToHeader: "X-P", outputClaimToHeaders: [claim("X-A"), claim("x-a")] }),
    jwtRule({ outputClaimToHeaders: [claim("x-b"), claim("X-P")] }),
  ])!;
  assert.deepEqual(plan.outputHeaders, ["x-p", "x-a", "x-b"]);
});

test("keys stand in the rule, at its URI, or are found from the issuer without one slash", () => {
  assert.deepEqual(
    sources(
      { jwks: "{}", jwksUri: "https://k" },
      { jwks: undefined, jwksUri: "https://k", timeoutMillis: 5 },
      { jwks: undefined, issuer: "https://one//" },
    ).map(({ id: _, ...rest }) => rest),
    [
      { kind: "inline", text: "{}", name: "ra.yaml:1" },
      { kind: "uri", uri: "https://k", timeoutMillis: 5 },
      { kind: "discovery", issuer: "https://one/", timeoutMillis: undefined },
    ],
  );
});

test("equal key sources have equal ids, others do not", () => {
  const ids = sources(
    { jwks: "{}" },
    { jwks: "{}" },
    { jwks: "https://k" },
    { jwks: undefined, jwksUri: "https://k" },
    { jwks: undefined, jwksUri: "https://k" },
    { jwks: undefined, issuer: "https://k" },
    { jwks: undefined, issuer: "https://k/" },
    { jwks: undefined, jwksUri: "https://k", timeoutMillis: 7 },
  ).map(({ id }) => id);
  assert.equal(new Set(ids).size, 5);
  assert.equal(ids.filter((id) => id === ids.find((one) => one.startsWith("inline {}"))).length, 2);
});
