import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptToken } from "#authz/authenticate/accept";
import { authenticate } from "#authz/authenticate/authenticate";
import type { TokenVerdict } from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import { inputOf, jwtRule, NOW, token } from "#test/support/authenticate/scene";

const text = token({ iss: "https://one", aud: "a", nbf: NOW - 100, exp: NOW + 100 });
const rule = jwtRule({ audiences: ["a"] });

function accepted(): TokenVerdict {
  const plan = createPlan([rule])!;
  const input = inputOf({ headers: [["authorization", `Bearer ${text}`]] });
  const lacking = authenticate(plan, input, () => undefined);
  assert.ok(lacking.kind === "lacking" && lacking.pairs.length === 1);
  return { ok: true, accepted: acceptToken(lacking.pairs[0]!) };
}

function outcome(verdict: TokenVerdict, nowSeconds: number, given = rule, maxTokenBytes = 9999) {
  const asked = { headers: [["authorization", `Bearer ${text}`]], nowSeconds, maxTokenBytes } as const;
  const answer = authenticate(createPlan([given])!, inputOf(asked), () => verdict);
  return answer.kind === "refused" ? answer.fault : answer.kind;
}

test("a known acceptance holds for as long as everything but the signature does", () => {
  const known = accepted();
  assert.equal(outcome(known, NOW), "accepted");
  assert.equal(outcome(known, NOW + 160), "accepted");
  assert.equal(outcome(known, NOW + 161), "expired");
  assert.equal(outcome(known, NOW - 161), "notYetValid");
  assert.equal(outcome(known, NOW, jwtRule({ audiences: ["b"] })), "audience");
  assert.equal(outcome(known, NOW, jwtRule({ issuer: "https://two" })), "issuerUnknown");
  assert.equal(outcome(known, NOW, rule, 10), "form");
});

test("a known refusal stands", () => {
  assert.equal(outcome({ ok: false, fault: "keyMissing" }, NOW), "keyMissing");
  assert.equal(outcome({ ok: false, fault: "keyMissing" }, NOW + 1000), "keyMissing");
});
