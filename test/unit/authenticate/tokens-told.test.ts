import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, answerTo, jwtRule, token } from "#test/support/authenticate/scene";

const [a, b] = ["a", "b"].map((sub) => token({ iss: "https://one", sub }));
const second = token({ iss: "https://two", sub: "c" }, "other");
const places = { fromHeaders: [{ name: "x-a", prefix: "" }], fromParams: ["t"] };
const one = jwtRule(places);
const two = jwtRule({ ...places, issuer: "https://two", jwks: "other" });

/** Subjects of the tokens that are told, and of the claims that policies see. */
function told(rules: Parameters<typeof answerTo>[0], asked: Asked): readonly unknown[] {
  const { answer } = answerTo(rules, asked);
  assert.ok(answer.kind === "accepted");
  return [answer.tokens.map(({ sub }) => sub), answer.claims?.["sub"]];
}

test("every token that was verified is told once, in the order in which it was; policies see the last", () => {
  const header = (text: string) => ({ headers: [["x-a", text]] }) as const;
  assert.deepEqual(told([one], {}), [[], undefined]);
  assert.deepEqual(told([one], { method: "OPTIONS", ...header(a!) }), [["a"], "a"]);
  assert.deepEqual(told([one], header(a!)), [["a"], "a"]);
  assert.deepEqual(told([one], { ...header(a!), target: `/?t=${b}` }), [["b", "a"], "a"]);
  assert.deepEqual(told([one], { ...header(a!), target: `/?t=${a}` }), [["a"], "a"], "the same token in two places");
  assert.deepEqual(told([one, two], header(second)), [["c"], "c"]);
});

test("a token is told, too, that was verified before another was refused, where a later rule lets the request pass", () => {
  // The first rule accepts its own token, then meets one of the second's issuer, which the second accepts alone.
  const forwarding = { ...places, forwardOriginalToken: true };
  const rules = [
    jwtRule(forwarding),
    jwtRule({
      ...forwarding,
      fromHeaders: [{ name: "x-a", prefix: "" }],
      fromParams: [],
      issuer: "https://two",
      jwks: "other",
    }),
  ];
  const { answer } = answerTo(rules, { headers: [["x-a", second]], target: `/?t=${a}` });
  assert.ok(answer.kind === "accepted", JSON.stringify(answer));
  assert.deepEqual([answer.tokens.map(({ sub }) => sub), answer.claims?.["sub"]], [["a", "c"], "c"]);
});
