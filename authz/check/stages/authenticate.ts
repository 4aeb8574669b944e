import { authenticate } from "#authz/authenticate/authenticate";
import type {
  Authentication,
  AuthenticationInput,
  AuthenticationPlan,
  KnownVerdict,
  TokenProvider,
  TokenVerdict,
  UnverifiedToken,
} from "#authz/authenticate/contract";
import { readTls } from "#authz/check/attributes/connection";
import type { EditedRequest } from "#authz/engine/edited-request";
import { tokenFaults } from "#identity/token/token";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { foundBy, type Progress, type StageContext, type StageResult } from "../progress.ts";
import { refusal } from "../refusal.ts";
import { describeTokenRefusal } from "../tokens/describe-refusal.ts";
import { refuse } from "../verdict.ts";
import type { CheckHttp } from "../wire/check-request.ts";

/** What was found in this check, by provider and token. */
type Found = Map<TokenProvider, Map<ByteString, TokenVerdict>>;

/**
 * So many signatures are looked at for one request. A request with one token under every one of a few dozen rules stays far below; one that is
 * made to cost has its next token refused.
 */
const maxSignatures = 128;

/**
 * RequestAuthentication: asks the pure stage, verifies the tokens whose signatures it lacks, and asks again, until it answers. Each
 * token is verified once for each rule. Synchronous while every token is known.
 */
export function authenticateRequest(
  context: StageContext,
  progress: Progress,
  plan: AuthenticationPlan,
  http: CheckHttp,
): StageResult | Promise<StageResult> {
  const request = progress.edited as EditedRequest;
  // A provider may have made another request of it.
  const now = (name: ByteString, received: ByteString): ByteString => request.edit(name)?.[0] ?? received;
  const input: AuthenticationInput = {
    request,
    method: now(":method", http.method),
    scheme: now(":scheme", http.scheme) || schemeOf(context),
    authority: now(":authority", http.host),
    nowSeconds: Math.floor(context.environment.nowMillis() / 1000),
    maxTokenBytes: context.environment.tokens.maxTokenBytes,
  };
  const answer = answerOf(context, plan, input, new Map());
  const end = (result: Authentication) => follow(context, progress, result);
  return answer instanceof Promise ? answer.then(end) : end(answer);
}

/** For the challenge alone. No policy asks for it: an Envoy that does not tell lacks nothing. */
function schemeOf({ question }: StageContext): string {
  return readTls(question.request, question.metadata) === true ? "https" : "http";
}

function answerOf(
  context: StageContext,
  plan: AuthenticationPlan,
  input: AuthenticationInput,
  found: Found,
): Authentication | Promise<Authentication> {
  const { tokens } = context.environment;
  const { keySets } = context.snapshot;
  let full = false;
  const known: KnownVerdict = (text, provider) => {
    return found.get(provider)?.get(text) ?? tokens.known(text, provider, keySets) ?? (full ? tooMany : undefined);
  };
  for (;;) {
    // Nothing is lacking then: or the stage would be asked once more for each of thousands of rules.
    full = countOf(found) >= maxSignatures;
    const result = authenticate(plan, input, known);
    if (result.kind !== "lacking") return result;
    const waiting: Promise<void>[] = [];
    for (const pair of result.pairs) {
      if (found.get(pair.provider)?.has(pair.token.text))
        throw new Error("a token is asked about that was answered already");
      const verdict = tokens.verify(pair, keySets);
      if (verdict instanceof Promise) waiting.push(verdict.then((settled) => add(found, pair, settled)));
      else add(found, pair, verdict);
    }
    if (waiting.length > 0) return Promise.all(waiting).then(() => answerOf(context, plan, input, found));
  }
}

const tooMany: TokenVerdict = { ok: false, fault: "signature" };

function add(found: Found, { token, provider }: UnverifiedToken, verdict: TokenVerdict): void {
  let byText = found.get(provider);
  if (byText === undefined) {
    byText = new Map();
    found.set(provider, byText);
  }
  byText.set(token.text, verdict);
}

function countOf(found: Found): number {
  let count = 0;
  for (const byText of found.values()) count += byText.size;
  return count;
}

function follow(
  context: StageContext,
  progress: Progress,
  result: Exclude<Authentication, { kind: "lacking" }>,
): StageResult;
function follow(context: StageContext, progress: Progress, result: Authentication): StageResult;
function follow(context: StageContext, progress: Progress, result: Authentication): StageResult {
  if (result.kind === "lacking") throw new Error("tokens are lacking where none can be");
  if (result.kind === "refused") {
    const { status, text } = tokenFaults[result.fault];
    const detail = describeTokenRefusal(result, context.view, context.snapshot);
    const origin = result.provider?.rule.origin;
    const refused = { ...refusal("authentication/refused", detail, { status, body: text }), origin };
    const found = foundBy(context, progress);
    const clientHeaders = [
      ...progress.clientHeaders,
      { name: "www-authenticate", value: result.wwwAuthenticate, add: false },
    ];
    return { ended: refuse(true, refused, { ...found, clientHeaders }) };
  }
  const { request, claims } = result;
  const tokens = claims && result.tokens;
  return { progress: { ...progress, edited: request, attributes: progress.attributes.after(request, claims, tokens) } };
}
