import type { EditedRequest } from "#authz/engine/edited-request";
import { type TokenFault, tokenFaults } from "#identity/token/token";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { challenge } from "./challenge.ts";
import { TokenChecker } from "./check-token.ts";
import type { Authenticate, Authentication } from "./contract.ts";
import { Evaluation, type ProviderOutcome, type Refusal } from "./evaluate.ts";
import type { TokenPlace } from "./extract.ts";
import { preparePlan } from "./plan.ts";
import type { PreparedProvider } from "./provider.ts";
import { TokenReader } from "./token-reader.ts";

/**
 * Authenticates a request by the tokens that it carries, as Envoy's `jwt_authn` filter with Istio's configuration does; a request without
 * token passes. `lacking` names the one pair that Envoy would verify next. Cost: a request without anything where tokens are looked for is one
 * look for each name; else linear in providers and tokens, and each text is parsed once.
 */
export const authenticate: Authenticate = (plan, input, known) => {
  const prepared = preparePlan(plan);
  const request = input.request.copy();
  // ORDER: before anything is looked at, also of requests that nobody authenticates: an output header at the upstream comes from a token.
  for (const name of prepared.outputHeaders) request.remove(name);
  if (isPreflight(input.method, request)) return { kind: "accepted", claims: undefined, tokens: none, request };
  const reader = new TokenReader(prepared, request);
  if (!reader.anything) return { kind: "accepted", claims: undefined, tokens: none, request };

  const evaluation = new Evaluation(request, reader, new TokenChecker(input, known));
  const outcome = meetRequirement(prepared.providers, evaluation);
  const refuse = (fault: TokenFault, provider: PreparedProvider, detail: string): Authentication => ({
    kind: "refused",
    fault,
    wwwAuthenticate: challenge(fault, input, prepared.outputHeaders),
    provider,
    detail,
  });
  if (outcome.kind === "lacking") return { kind: "lacking", pairs: [outcome.pair] };
  if (outcome.kind === "refused") {
    const { fault, provider, place } = outcome;
    return refuse(fault, provider, `${placeText(place)}: ${tokenFaults[fault].text}`);
  }
  const unfit = evaluation.unfitOutput();
  if (unfit !== undefined) {
    const { provider, place, header } = unfit;
    return refuse("signature", provider, `${placeText(place)}: a claim that no header may carry, for ${header}`);
  }
  return { kind: "accepted", claims: evaluation.claims, tokens: evaluation.tokens, request };
};

const none: readonly never[] = Object.freeze([]);

/**
 * The requirement that Istio writes. One provider: it passes or finds nothing. Several: one of them passes, or, tried once more on what the
 * first round left, each of them passes or finds nothing. What is said of a refusal is the last fault that is not about the issuer.
 */
function meetRequirement(providers: readonly PreparedProvider[], evaluation: Evaluation): ProviderOutcome {
  let refusal: Refusal | undefined;
  for (const provider of providers) {
    const outcome = evaluation.evaluate(provider);
    if (outcome.kind === "passed" || outcome.kind === "lacking") return outcome;
    if (outcome.kind === "refused") refusal = weightier(refusal, outcome);
  }
  if (providers.length === 1) return refusal ?? { kind: "missed" };
  for (const provider of providers) {
    const outcome = evaluation.evaluate(provider);
    if (outcome.kind === "lacking") return outcome;
    if (outcome.kind === "refused") return weightier(refusal, outcome);
  }
  return { kind: "passed" };
}

function weightier(before: Refusal | undefined, now: Refusal): Refusal {
  return before === undefined || now.fault !== "issuerUnknown" ? now : before;
}

/** A CORS preflight brings no credentials (Fetch §4.8). Envoy: jwt_authn, filter.cc. */
function isPreflight(method: ByteString, request: EditedRequest): boolean {
  const says = (name: ByteString) => request.lines(name).some((line) => line !== "");
  return method === "OPTIONS" && says("origin") && says("access-control-request-method");
}

function placeText({ kind, name }: TokenPlace): string {
  return `${kind} ${name}`;
}
