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
import type { EditedRequest } from "#authz/engine/edited-request";
import { tokenFaults } from "#identity/token/token";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { foundBy, type Progress, type StageContext, type StageResult } from "../progress.ts";
import { refusal } from "../refusal.ts";
import { refuse } from "../verdict.ts";
import type { CheckHttp } from "../wire/check-request.ts";

/** What was found in this check. A list: nearly always of one. */
type Found = { readonly text: ByteString; readonly provider: TokenProvider; readonly verdict: TokenVerdict }[];

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
  const { tls } = progress.attributes;
  const request = progress.edited as EditedRequest;
  // A provider may have made another request of it.
  const now = (name: ByteString, received: ByteString): ByteString => request.edit(name)?.[0] ?? received;
  const input: AuthenticationInput = {
    request,
    method: now(":method", http.method),
    scheme: now(":scheme", http.scheme) || (tls === true ? "https" : "http"),
    authority: now(":authority", http.host),
    nowSeconds: Math.floor(context.environment.nowMillis() / 1000),
    maxTokenBytes: context.environment.tokens.maxTokenBytes,
  };
  const answer = answerOf(context, plan, input, []);
  const end = (result: Authentication) => follow(context, progress, result);
  return answer instanceof Promise ? answer.then(end) : end(answer);
}

function answerOf(
  context: StageContext,
  plan: AuthenticationPlan,
  input: AuthenticationInput,
  found: Found,
): Authentication | Promise<Authentication> {
  const { tokens } = context.environment;
  const { keySets } = context.snapshot;
  const known: KnownVerdict = (text, provider) => {
    for (const one of found) if (one.provider === provider && one.text === text) return one.verdict;
    return tokens.known(text, provider, keySets);
  };
  for (;;) {
    const result = authenticate(plan, input, known);
    if (result.kind !== "lacking") return result;
    const waiting: Promise<void>[] = [];
    for (const pair of result.pairs) {
      if (isAmong(found, pair)) throw new Error("a token is asked about that was answered already");
      const verdict = tokens.verify(pair, keySets);
      if (verdict instanceof Promise) waiting.push(verdict.then((settled) => add(found, pair, settled)));
      else add(found, pair, verdict);
    }
    if (waiting.length > 0) return Promise.all(waiting).then(() => answerOf(context, plan, input, found));
  }
}

function add(found: Found, { token, provider }: UnverifiedToken, verdict: TokenVerdict): void {
  found.push({ text: token.text, provider, verdict });
}

function isAmong(found: Found, { token, provider }: UnverifiedToken): boolean {
  return found.some((one) => one.provider === provider && one.text === token.text);
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
    const refused = refusal("authentication/refused", result.detail, { status, body: text });
    const found = foundBy(context, progress);
    const clientHeaders = [
      ...progress.clientHeaders,
      { name: "www-authenticate", value: result.wwwAuthenticate, add: false },
    ];
    return { ended: refuse(true, refused, { ...found, clientHeaders }) };
  }
  const { request, claims } = result;
  return { progress: { ...progress, edited: request, attributes: progress.attributes.after(request, claims) } };
}
