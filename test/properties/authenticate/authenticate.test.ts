import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authenticate } from "#authz/authenticate/authenticate";
import { createPlan } from "#authz/authenticate/plan";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import { type Asked, answerTo, inputOf, jwtRule, NOW, token, verdictOf } from "#test/support/authenticate/scene";
import { naiveAuthentication } from "#test/support/oracle/naive-authentication";

const issuers = ["one", "two", ""] as const;
const keys = ["key-a", "key-b"] as const;
const places = ["x-a", "x-b", "authorization"] as const;
const outputs = ["x-out", "x-sub", "x-a"] as const;

const rules: fc.Arbitrary<readonly JwtRule[]> = fc.array(
  fc
    .record({
      issuer: fc.constantFrom(...issuers),
      jwks: fc.constantFrom(...keys),
      audiences: fc.constantFrom([], [], ["web"]),
      fromHeaders: fc.array(
        fc.record({ name: fc.constantFrom(...places), prefix: fc.constantFrom("", "Bearer ", "t:") }),
        { maxLength: 2 },
      ),
      fromParams: fc.subarray(["p", "access_token"], { maxLength: 2 }),
      fromCookies: fc.constantFrom([], [], ["c"], ["d", "c"]),
      forwardOriginalToken: fc.boolean(),
      outputPayloadToHeader: fc.constantFrom(undefined, ...outputs),
      outputClaimToHeaders: fc.array(
        fc.record({ header: fc.constantFrom(...outputs), claim: fc.constantFrom("sub", "iss") }),
        {
          maxLength: 2,
        },
      ),
    })
    .map(jwtRule),
  { minLength: 1, maxLength: 4 },
);

const tokens = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        iss: fc.constantFrom("one", "two", "three"),
        sub: fc.constantFrom("alice", "bob", ""),
        aud: fc.constantFrom("web", "api"),
        exp: fc.constantFrom(0, 0, 0, NOW - 60, NOW - 61),
        nbf: fc.constantFrom(0, 0, NOW + 60, NOW + 61),
        key: fc.constantFrom(...keys),
      })
      .map(({ key, ...claims }) => token(claims, key)),
  },
  { weight: 1, arbitrary: fc.constantFrom("bad", "", "a.b.c", "!") },
);

const requests: fc.Arbitrary<Asked> = fc
  .array(fc.tuple(fc.constantFrom("x-a", "x-b", "authorization", "?p", "?access_token", "c", "d", "x-out"), tokens), {
    maxLength: 5,
  })
  .chain((placed) =>
    fc
      .array(fc.constantFrom("", "Bearer ", "t:"), { minLength: placed.length, maxLength: placed.length })
      .map((prefixes) => {
        const query = placed
          .filter(([place]) => place.startsWith("?"))
          .map(([place, text]) => `${place.slice(1)}=${text}`);
        const cookies = placed.filter(([place]) => place.length === 1).map(([place, text]) => `${place}=${text}`);
        const lines = placed.flatMap(([place, text], i): [string, string][] =>
          place.length === 1 || place.startsWith("?") ? [] : [[place, `${prefixes[i]}${text}`]],
        );
        if (cookies.length > 0) lines.push(["cookie", cookies.join("; ")]);
        return { target: query.length > 0 ? `/?q&${query.join("&")}&r=1` : "/", headers: lines };
      }),
  );

test("authentication answers as Envoy's tree does: fault, claims, what is left of the request, and which signatures are computed", () => {
  let good = 0;
  fc.assert(
    fc.property(rules, requests, (given, asked) => {
      const naive = naiveAuthentication(given, asked);
      const { answer, verified } = answerTo(given, asked);
      assert.equal(answer.kind === "refused" ? answer.fault : "ok", naive.status);
      assert.deepEqual(
        verified.map(({ provider, token: { text } }) => `${provider.name} ${text}`),
        naive.verified,
      );
      if (answer.kind === "refused") return;
      if (answer.claims !== undefined) good++;
      assert.deepEqual(answer.claims, naive.claims);
      assert.equal(answer.request.target, naive.target);
      for (const name of new Set([...naive.lines, ...(asked.headers ?? [])].map(([own]) => own))) {
        const left = naive.lines.filter(([own]) => own === name).map(([, value]) => value);
        assert.deepEqual(answer.request.lines(name), left, name);
      }
    }),
    { numRuns: 4000 },
  );
  assert.ok(good > 100, `only ${good} requests had a good token`);
});

test("the same question has the same answer, and each signature is asked for once", () => {
  fc.assert(
    fc.property(rules, requests, (given, asked) => {
      const { verified } = answerTo(given, asked);
      assert.ok(verified.length <= given.length * ((asked.headers?.length ?? 0) + 8));
      const plan = createPlan(given)!;
      const known = (text: string, { name }: { name: string }) => {
        const pair = verified.find(({ provider, token: own }) => provider.name === name && own.text === text);
        return pair && verdictOf(pair);
      };
      const input = inputOf(asked);
      const [first, second] = [authenticate(plan, input, known), authenticate(plan, input, known)];
      assert.notEqual(first.kind, "lacking");
      assert.deepEqual(first, second);
    }),
    { numRuns: 1000 },
  );
});

test("any bytes have an answer, and nothing that is edited holds what no header may", () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  });
  const lines = fc.array(fc.tuple(fc.constantFrom("x-a", "authorization", "cookie", "x-envoy-original-path"), bytes));
  const claimed = bytes.map((sub) => token({ iss: "one", sub }, "key-a"));
  fc.assert(
    fc.property(rules, lines, claimed, bytes, bytes, (given, headers, text, target, method) => {
      const asked = {
        target: `/${target}&access_token=${text}`,
        method,
        headers: [...headers, ["x-b", text] as const],
      };
      const { answer } = answerTo(given, asked);
      const written =
        answer.kind === "refused"
          ? [answer.wwwAuthenticate]
          : [...answer.request.headerEdits()]
              .flatMap(([, values]) => values)
              .filter((value) => !headers.some(([, own]) => own === value));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not come.
      for (const value of written) assert.doesNotMatch(value, /[\x00-\x08\x0a-\x1f\x7f]/);
    }),
    { numRuns: 2000 },
  );
});
