import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticate } from "#authz/authenticate/authenticate";
import type { TokenProvider, TokenVerdict } from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import { parseToken } from "#identity/token/parse";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import { type Asked, inputOf, jwtRule, token, verdictOf } from "#test/support/authenticate/scene";

const ISSUERS = 200;
const RULES = 100;

const many = (count: number, rule: (i: number) => Partial<JwtRule>) =>
  Array.from({ length: count }, (_, i) => jwtRule(rule(i)));
const issuer = (i: number) => ({ issuer: `https://issuer-${i}` });
const everywhere = {
  fromHeaders: [
    { name: "x-a", prefix: "" },
    { name: "authorization", prefix: "Bearer " },
  ],
  fromParams: ["t", "u"],
  fromCookies: ["c"],
};
/** A different token each time, of some hundred bytes, or of the length given. */
const padded = (claims: object, length: number) =>
  token({ ...claims, pad: "x".repeat(Math.max(0, (length - 100) * 0.75)) });
const full = (piece: string) => piece.repeat(Math.floor(60_000 / piece.length));
const lines = (name: string, text: (i: number) => string, count: number) =>
  Array.from({ length: count }, (_, i) => [name, text(i)] as [string, string]);

/** What one request of 60 KB, as much as Envoy lets through by default, can bring against many providers. */
const cases: readonly (readonly [title: string, rules: readonly JwtRule[], asked: Asked])[] = [
  ["no token, 200 issuers", many(ISSUERS, issuer), { headers: [["x-b", full("a")]], target: "/p" }],
  [
    "a query of nothing but pieces",
    many(ISSUERS, (i) => ({ ...issuer(i), fromParams: [`p${i}`] })),
    { target: `/?${full("%61&")}` },
  ],
  [
    "a cookie of nothing but pieces",
    many(ISSUERS, (i) => ({ ...issuer(i), fromCookies: [`c${i}`] })),
    { headers: [["cookie", full("a=;")]] },
  ],
  [
    "a prefix that never comes, nearly",
    many(RULES, (i) => ({ ...issuer(i), fromHeaders: [{ name: "x-a", prefix: `${"a".repeat(200)}${i}` }] })),
    { headers: [["x-a", full("a")]] },
  ],
  [
    "a prefix with no character of a token behind it",
    many(ISSUERS, issuer),
    { headers: [["authorization", `Bearer ${full("!")}`]] },
  ],
  [
    "one token of 50 KB that belongs to nobody",
    many(ISSUERS, issuer),
    { headers: [["authorization", `Bearer ${padded({ iss: "x" }, 50_000)}`]], maxTokenBytes: 65_536 },
  ],
  [
    "the same, malformed at its end",
    many(ISSUERS, issuer),
    { headers: [["authorization", `Bearer ${padded({ iss: "x" }, 50_000)}!`]], maxTokenBytes: 65_536 },
  ],
  [
    "a hundred tokens in every place, of nobody",
    many(RULES, (i) => ({ ...issuer(i), ...everywhere })),
    {
      headers: [...lines("x-a", (i) => padded({ iss: "x", i }, 500), 100), ["cookie", `c=${token()}`]],
      target: `/?t=${token()}&u=${token()}`,
    },
  ],
  [
    "a hundred good tokens in every place, and a bad one last",
    many(RULES, () => ({ issuer: "", forwardOriginalToken: true, ...everywhere })),
    {
      headers: [["x-a", "bad"], ...lines("x-a", (i) => padded({ iss: "x", i }, 500), 100), ["cookie", `c=${token()}`]],
      target: `/?t=${token()}&u=${token()}`,
    },
  ],
];

for (const [title, rules, asked] of cases) {
  test(`a request of 60 KB holds the event loop for less than 200 ms of CPU time in one round: ${title}`, () => {
    const plan = createPlan(rules)!;
    const verdicts = new Map<TokenProvider, Map<string, TokenVerdict | undefined>>(
      plan.providers.map((provider) => [provider, new Map()]),
    );
    // Every signature that is asked for is known, so that a round goes as far as it can.
    const known = (text: string, provider: TokenProvider) => {
      const own = verdicts.get(provider)!;
      if (!own.has(text)) own.set(text, verdictBeforehand(text, provider));
      return own.get(text);
    };
    const input = inputOf(asked);
    assert.notEqual(authenticate(plan, input, known).kind, "lacking");
    const before = process.cpuUsage();
    for (let i = 0; i < 8; i++) authenticate(plan, input, known);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 1_600_000, `${Math.round((user + system) / 8000)} ms`);
  });
}

/** Of a token that a rule's issuer made; what belongs to another issuer has to be refused for that each time. */
function verdictBeforehand(text: string, provider: TokenProvider): TokenVerdict | undefined {
  const parse = parseToken(text);
  if (!parse.ok) return undefined;
  const { issuer } = provider.rule;
  return issuer === "" || issuer === parse.token.issuer ? verdictOf({ provider, token: parse.token }) : undefined;
}
