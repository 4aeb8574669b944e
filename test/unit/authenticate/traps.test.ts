import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticate } from "#authz/authenticate/authenticate";
import type { TokenProvider } from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import { parseToken } from "#identity/token/parse";
import { type TokenFault, tokenFaults } from "#identity/token/token";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import {
  type Asked,
  answerTo,
  editsOf,
  inputOf,
  jwtRule,
  NOW,
  token,
  verdictOf,
} from "#test/support/authenticate/scene";

const good = token({ iss: "https://one", sub: "alice" });
const forged = token({ iss: "https://one", sub: "alice" }, "another key");
const two = token({ iss: "https://two", sub: "bob" });
const bearer = (text: string): Asked => ({ headers: [["Authorization", `Bearer ${text}`]] });
const one = jwtRule();
const other = jwtRule({ issuer: "https://two" });
const inHeader = (name: string, given: Partial<JwtRule> = {}) =>
  jwtRule({ fromHeaders: [{ name, prefix: "" }], ...given });

/** What comes of it: a fault, `none` (no token, no claims), or the subject of the claims that policies see. */
type Outcome = TokenFault | "none" | { readonly sub: string };

const cases: readonly (readonly [title: string, rules: readonly JwtRule[], asked: Asked, outcome: Outcome])[] = [
  ["no token", [one], {}, "none"],
  ["a good token", [one], bearer(good), { sub: "alice" }],
  ["a forged token", [one], bearer(forged), "signature"],
  ["the prefix in another case is no token", [one], { headers: [["authorization", `bearer ${forged}`]] }, "none"],
  ["another scheme is no token", [one], { headers: [["authorization", "Basic abc"]] }, "none"],
  ["the prefix alone, trimmed, is no token", [one], { headers: [["authorization", "Bearer"]] }, "none"],
  ["the prefix with no character of a token", [one], bearer("!!!"), "form"],
  ["the prefix anywhere", [one], { headers: [["authorization", `Basic x Bearer ${good}`]] }, { sub: "alice" }],
  ["characters before the token", [one], bearer(`=! ${good}`), { sub: "alice" }],
  ["text behind the token", [one], bearer(`${good},x`), "signatureBase64"],
  ["a good header and a forged parameter", [one], { ...bearer(good), target: `/?access_token=${forged}` }, "signature"],
  [
    "a good header and a good parameter",
    [one],
    { ...bearer(good), target: `/?access_token=${good}` },
    { sub: "alice" },
  ],
  ["a forged header and a good parameter", [one], { ...bearer(forged), target: `/?access_token=${good}` }, "signature"],
  ["an empty parameter", [one], { target: "/?access_token=" }, "form"],
  ["a parameter without a value", [one], { target: "/?a&access_token" }, "form"],
  [
    "the first of two parameters counts",
    [one],
    { target: `/?access_token=${good}&access_token=bad` },
    { sub: "alice" },
  ],
  ["the first of two parameters counts: bad", [one], { target: `/?access_token=bad&access_token=${good}` }, "form"],
  ["a parameter in another case", [one], { target: `/?Access_token=${forged}` }, "none"],
  ["a parameter with an encoded name", [one], { target: `/?access%5ftoken=${good}` }, { sub: "alice" }],
  ["explicit places switch the default ones off", [inHeader("x-jwt")], bearer(forged), "none"],
  ["an explicit place", [inHeader("X-Jwt")], { headers: [["x-jwt", good]] }, { sub: "alice" }],
  [
    "every line is a token",
    [inHeader("x-jwt")],
    {
      headers: [
        ["x-jwt", good],
        ["x-jwt", forged],
      ],
    },
    "signature",
  ],
  [
    "of two good lines the first one's claims stay",
    [inHeader("x-jwt", { issuer: "", jwksUri: "https://k" })],
    {
      headers: [
        ["x-jwt", good],
        ["x-jwt", two],
      ],
    },
    { sub: "alice" },
  ],
  [
    "two rules, the other's place untouched",
    [inHeader("x-a"), inHeader("x-b", { issuer: "https://two" })],
    {
      headers: [
        ["x-a", good],
        ["x-b", "bad"],
      ],
    },
    { sub: "alice" },
  ],
  ["two rules, the second one's token", [one, other], bearer(two), { sub: "bob" }],
  ["two rules, nobody's token", [one, other], bearer(token({ iss: "https://three" })), "issuerUnknown"],
  [
    "two rules, an expired token of the first",
    [one, other],
    bearer(token({ iss: "https://one", exp: NOW - 61 })),
    "expired",
  ],
  ["two rules, an expired token of the second", [one, other], bearer(token({ iss: "https://two", exp: 1 })), "expired"],
  [
    "two rules, faults of both: the last real one is said",
    [inHeader("x-a"), inHeader("x-b", { issuer: "https://two" })],
    {
      headers: [
        ["x-a", token({ iss: "https://one", exp: 1 })],
        ["x-b", "bad"],
      ],
    },
    "expired",
  ],
  [
    "two rules with one issuer are two providers",
    [one, jwtRule({ jwks: "another key" })],
    bearer(forged),
    { sub: "alice" },
  ],
  [
    "a token each at the default places passes although neither rule takes both",
    [one, other],
    { ...bearer(good), target: `/?access_token=${two}` },
    { sub: "alice" },
  ],
  ["the same with one rule", [one], { ...bearer(good), target: `/?access_token=${two}` }, "issuerUnknown"],
  [
    "bad line, good line: one rule",
    [inHeader("x-jwt")],
    {
      headers: [
        ["x-jwt", "bad"],
        ["x-jwt", good],
      ],
    },
    "form",
  ],
  [
    "bad line, good line: two rules, and the first round took both lines",
    [inHeader("x-jwt"), inHeader("x-b", { issuer: "https://two" })],
    {
      headers: [
        ["x-jwt", "bad"],
        ["x-jwt", good],
      ],
    },
    { sub: "alice" },
  ],
  [
    "the same where tokens stay",
    [inHeader("x-jwt", { forwardOriginalToken: true }), inHeader("x-b", { issuer: "https://two" })],
    {
      headers: [
        ["x-jwt", "bad"],
        ["x-jwt", good],
      ],
    },
    "form",
  ],
  ["the issuer is compared byte for byte", [one], bearer(token({ iss: "https://one/" })), "issuerUnknown"],
  [
    "an issuer beyond ASCII",
    [jwtRule({ issuer: "https://é" })],
    bearer(token({ iss: "https://é", sub: "é" })),
    { sub: "Ã©" },
  ],
  ["no issuer in the token", [one], bearer(token({ sub: "alice" })), "issuerUnknown"],
  ["no issuer in the rule: any", [jwtRule({ issuer: "", jwksUri: "https://k" })], bearer(two), { sub: "bob" }],
  ["issuer before time", [one], bearer(token({ iss: "x", exp: 1, aud: "x" })), "issuerUnknown"],
  ["time before audience", [jwtRule({ audiences: ["a"] })], bearer(token({ iss: "https://one", exp: 1 })), "expired"],
  ["audience before signature", [jwtRule({ audiences: ["a"] })], bearer(forged), "audience"],
  [
    "another audience",
    [jwtRule({ audiences: ["api"] })],
    bearer(token({ iss: "https://one", aud: "web" })),
    "audience",
  ],
  [
    "one of several audiences",
    [jwtRule({ audiences: ["x", "api"] })],
    bearer(token({ iss: "https://one", sub: "a", aud: ["web", "https://api/"] })),
    { sub: "a" },
  ],
  ["no audience in the rule", [one], bearer(token({ iss: "https://one", sub: "a", aud: "web" })), { sub: "a" }],
  ["expired a minute ago", [one], bearer(token({ iss: "https://one", sub: "a", exp: NOW - 60 })), { sub: "a" }],
  ["expired longer ago", [one], bearer(token({ iss: "https://one", sub: "a", exp: NOW - 61 })), "expired"],
  ["without expiry", [one], bearer(token({ iss: "https://one", sub: "a", exp: 0 })), { sub: "a" }],
  ["valid in a minute", [one], bearer(token({ iss: "https://one", sub: "a", nbf: NOW + 60 })), { sub: "a" }],
  ["valid later", [one], bearer(token({ iss: "https://one", sub: "a", nbf: NOW + 61 })), "notYetValid"],
  ["not yet valid and expired", [one], bearer(token({ iss: "https://one", nbf: NOW + 61, exp: 1 })), "notYetValid"],
  ["empty pieces are dropped", [one], bearer(`.${good.replace(".", "..")}.`), { sub: "alice" }],
  ["a claim of another type", [one], bearer(token('{"iss":null}')), "issType"],
  ["a token of the greatest size", [one], { ...bearer(good), maxTokenBytes: good.length }, { sub: "alice" }],
  ["a longer token", [one], { ...bearer(good), maxTokenBytes: good.length - 1 }, "form"],
  [
    "a cookie",
    [jwtRule({ fromCookies: ["session"] })],
    { headers: [["cookie", `a=1; session="${good}"`]] },
    { sub: "alice" },
  ],
  [
    "a forged cookie",
    [jwtRule({ fromCookies: ["session"] })],
    { headers: [["cookie", `session=${forged}`]] },
    "signature",
  ],
  [
    "two prefixes that file under one text: the first rules",
    [
      jwtRule({
        fromHeaders: [
          { name: "a", prefix: "bc" },
          { name: "ab", prefix: "c" },
        ],
      }),
    ],
    { headers: [["ab", `c${forged}`]] },
    "none",
  ],
  [
    "the one filed first",
    [
      jwtRule({
        fromHeaders: [
          { name: "a", prefix: "bc" },
          { name: "ab", prefix: "c" },
        ],
      }),
    ],
    { headers: [["a", `bc${good}`]] },
    { sub: "alice" },
  ],
];

for (const [title, rules, asked, outcome] of cases) {
  test(title, () => {
    const { answer } = answerTo(rules, asked);
    const got =
      answer.kind === "refused" ? answer.fault : answer.claims === undefined ? "none" : { sub: answer.claims["sub"] };
    assert.deepEqual(got, outcome, answer.kind === "refused" ? answer.detail : undefined);
  });
}

const preflight: Asked = {
  method: "OPTIONS",
  headers: [
    ["Origin", "o"],
    ["Access-Control-Request-Method", "GET"],
    ["Authorization", "Bearer bad"],
    ["X-User", "forged"],
  ],
};
const without = (asked: Asked, name: string): Asked => ({
  ...asked,
  headers: asked.headers!.filter(([own]) => own !== name),
});
const outputs = jwtRule({ outputClaimToHeaders: [{ header: "X-User", claim: "sub" }] });

const edits: readonly (readonly [
  title: string,
  rules: readonly JwtRule[],
  asked: Asked,
  edits: object | TokenFault,
])[] = [
  ["a used token goes", [one], bearer(good), { authorization: [] }],
  ["a used token stays where the rule says so", [jwtRule({ forwardOriginalToken: true })], bearer(good), {}],
  [
    "a header goes with all its lines",
    [inHeader("x-jwt")],
    {
      headers: [
        ["x-jwt", good],
        ["x-jwt", good],
      ],
    },
    { "x-jwt": [] },
  ],
  [
    "a used parameter goes, nothing else changes",
    [one],
    { target: `/p?z=%26a&access_token=${good}&b&a=1&access_token=x` },
    { ":path": ["/p?z=%26a&b&a=1"] },
  ],
  [
    "the last parameter takes the question mark with it",
    [one],
    { target: `/p?access_token=${good}` },
    { ":path": ["/p"] },
  ],
  ["cookies stay", [jwtRule({ fromCookies: ["c"] })], { headers: [["cookie", `c=${good}`]] }, {}],
  ["outputs", [outputs], bearer(good), { authorization: [], "x-user": ["alice"] }],
  ["the client's copy goes, whatever its case", [outputs], { headers: [["X-USER", "forged"]] }, { "x-user": [] }],
  [
    "the client's copy goes for a token without the claim",
    [outputs],
    {
      headers: [
        ["x-user", "forged"],
        ["authorization", `Bearer ${token()}`],
      ],
    },
    { authorization: [], "x-user": [] },
  ],
  [
    "the client's copy goes for a provider that never ran",
    [one, jwtRule({ ...outputs, issuer: "https://two" })],
    {
      headers: [
        ["x-user", "forged"],
        ["authorization", `Bearer ${good}`],
      ],
    },
    { authorization: [], "x-user": [] },
  ],
  ["the client's copy goes on preflight, the token stays unread", [outputs], preflight, { "x-user": [] }],
  ["a preflight without origin is none", [outputs], without(preflight, "Origin"), "form"],
  ["a preflight without method is none", [outputs], without(preflight, "Access-Control-Request-Method"), "form"],
  ["a preflight by another method is none", [outputs], { ...preflight, method: "GET" }, "form"],
  [
    "each good token adds a line, the last one found first",
    [
      inHeader("x-jwt", {
        issuer: "",
        jwksUri: "https://k",
        outputClaimToHeaders: [{ header: "x-user", claim: "sub" }],
      }),
    ],
    {
      headers: [
        ["x-jwt", good],
        ["x-jwt", two],
      ],
    },
    { "x-jwt": [], "x-user": ["bob", "alice"] },
  ],
  [
    "an output where the token stood goes with it",
    [jwtRule({ outputPayloadToHeader: "authorization" })],
    bearer(good),
    { authorization: [] },
  ],
  [
    "an unused token of another rule stays",
    [inHeader("x-a"), inHeader("x-b", { issuer: "https://two" })],
    {
      headers: [
        ["x-a", good],
        ["x-b", "bad"],
      ],
    },
    { "x-a": [] },
  ],
  [
    "what a provider did before it failed stays done",
    [
      inHeader("x-jwt", { outputClaimToHeaders: [{ header: "x-user", claim: "sub" }] }),
      inHeader("x-b", { issuer: "https://two" }),
    ],
    {
      headers: [
        ["x-jwt", "bad"],
        ["x-jwt", good],
        ["x-b", two],
      ],
    },
    { "x-b": [], "x-jwt": [], "x-user": ["alice"] },
  ],
  [
    "a value that no header may have",
    [outputs],
    bearer(token({ iss: "https://one", sub: "a\r\nx-admin: 1" })),
    "signature",
  ],
  [
    "a tab may stand in a header",
    [outputs],
    bearer(token({ iss: "https://one", sub: "a\tb" })),
    { authorization: [], "x-user": ["a\tb"] },
  ],
];

for (const [title, rules, asked, expected] of edits) {
  test(title, () => {
    const { answer } = answerTo(rules, asked);
    assert.deepEqual(answer.kind === "refused" ? answer.fault : editsOf(answer.request), expected);
  });
}

test("no signature is asked for what fails before, and none beyond what is reached", () => {
  const asked = (rules: readonly JwtRule[], request: Asked) =>
    answerTo(rules, request).verified.map(({ provider, token: { text } }) => `${provider.name} ${text}`);
  assert.deepEqual(asked([one], bearer(token({ iss: "https://one", exp: 1 }))), []);
  assert.deepEqual(asked([one, other], bearer(two)), [`origins-1 ${two}`]);
  assert.deepEqual(asked([one], { ...bearer(good), target: `/?access_token=${forged}` }), [`origins-0 ${forged}`]);
  assert.deepEqual(
    asked([inHeader("x-a"), inHeader("x-b")], {
      headers: [
        ["x-a", good],
        ["x-b", good],
      ],
    }),
    [`origins-0 ${good}`],
  );
});

test("the challenge names the URL that was asked for, cut, and the error", () => {
  const challengeTo = (asked: Asked) => {
    const { answer } = answerTo([one], {
      ...asked,
      headers: [...(asked.headers ?? []), ["authorization", "Bearer bad"]],
    });
    return answer.kind === "refused" ? answer.wwwAuthenticate : undefined;
  };
  const invalid = ', error="invalid_token"';
  assert.equal(challengeTo({ target: '/p?q="x"' }), `Bearer realm="http://a.example/p?q="x""${invalid}`);
  const long = `/${"a".repeat(300)}`;
  assert.equal(challengeTo({ target: long }), `Bearer realm="http://a.example${long.slice(0, 256)}"${invalid}`);
  assert.equal(
    challengeTo({ headers: [["x-envoy-original-path", "/o"]] }),
    `Bearer realm="http://a.example/o"${invalid}`,
  );
  assert.equal(challengeTo({ target: "/a\r\nb" }), `Bearer realm="http://a.example/ab"${invalid}`);
});

test("the detail says where the token stood, and nothing of it", () => {
  const { answer } = answerTo([one, other], { target: `/?access_token=${forged}` });
  assert.ok(answer.kind === "refused");
  assert.equal(answer.provider?.name, "origins-0");
  assert.equal(answer.detail, `parameter access_token: ${tokenFaults.signature.text}`);
});

test("the request that came is left as it was", () => {
  const input = inputOf(bearer(good));
  const known = (_: string, provider: TokenProvider) => verdictOf({ provider, token: parsed(good) });
  const answer = authenticate(createPlan([outputs])!, input, known);
  assert.ok(answer.kind === "accepted" && answer.request.edited);
  assert.ok(!input.request.edited);
});

function parsed(text: string) {
  const parse = parseToken(text);
  assert.ok(parse.ok);
  return parse.token;
}
