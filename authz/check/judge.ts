import { CheckAttributes } from "#authz/check/attributes/check-attributes";
import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import { type Decision, MOST_FAULTS } from "#authz/engine/decision";
import { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { RemainingMillis, RequestLine, Snapshot } from "./contract.ts";
import { refuseMalformed } from "./malformed.ts";
import { refuseWithoutMutualTls } from "./mutual-tls.ts";
import { normalizePath } from "./path/normalize.ts";
import { receivedTarget } from "./path/received-target.ts";
import { foundBy, type Progress, type Question, type StageContext, type StageResult } from "./progress.ts";
import { ReceivedRequest } from "./received-request.ts";
import { accessDenied, type Refusal, refusal } from "./refusal.ts";
import { refuseRevoked } from "./revoked.ts";
import { answerByRule } from "./stages/answer.ts";
import { authenticateRequest } from "./stages/authenticate.ts";
import { askProvider } from "./stages/custom.ts";
import { noHeaders, refuse, type Verdict } from "./verdict.ts";
import type { CheckHttp } from "./wire/check-request.ts";
import { resolveWorkload } from "./workload/resolve.ts";

/**
 * Decides one check on one snapshot. ORDER: that of Istio's filter chain, with the deny list, which Istio has none of, behind mutual TLS; the first stage that answers ends it. Synchronous
 * unless a provider has to be asked or a token verified that was not seen before.
 */
export function judge(
  question: Question,
  snapshot: Snapshot,
  environment: StageContext["environment"],
  remainingMillis: RemainingMillis,
): Verdict | Promise<Verdict> {
  const { request, metadata, listener, door } = question;
  const { engine } = snapshot;
  const { http } = request;
  const isHttp = http !== undefined;
  const { mesh } = engine.ruleSet;

  // Whose policies?
  const resolved = resolveWorkload(engine.ruleSet, request, listener.workload);
  if (!resolved.ok) {
    const asked = http && { requestLine: requestLine(http) };
    return refuse(isHttp, refusal(resolved.reason, resolved.detail), asked);
  }
  const { workload } = resolved;
  const view = engine.view(workload);

  // The request target in the form that policies and upstream are to see.
  const received = http && receivedTarget(http);
  const target = received === undefined ? undefined : normalizePath(received, mesh.pathNormalization);
  const attributes = new CheckAttributes({
    request,
    metadata,
    listener,
    workload,
    mesh,
    target,
    principalTold: door === "grpc",
    nowMillis: environment.nowMillis(),
  });

  // PeerAuthentication.
  const shortfall = refuseWithoutMutualTls(view, attributes, engine.ruleSet, listener);
  if (shortfall !== undefined) return refuse(isHttp, shortfall, { workload, attributes });

  // Revocation. ORDER: after what Istio ends before any HTTP, so that its reason stays; before anything of the request is looked at.
  const { denyList } = snapshot;
  const revoked = denyList && refuseRevoked(denyList, attributes);
  if (revoked !== undefined) return refuse(isHttp, revoked, { workload, attributes });

  // What Envoy's front end answers.
  const fault = http && (refuseMalformed(http) ?? refuseTarget(received!, target, door));
  if (fault !== undefined) return refuse(isHttp, fault, { workload, attributes });

  const context: StageContext = { question, snapshot, environment, remainingMillis, workload, view };
  const edits = isHttp && (view.customProviders.length > 0 || view.authentication !== undefined);
  const begun: Progress = {
    attributes,
    edited: edits ? new EditedRequest(new ReceivedRequest(http, target!)) : undefined,
    clientHeaders: noHeaders,
    detail: undefined,
    failedOpen: undefined,
    conditionFaults: noHeaders,
  };

  // CUSTOM: a provider is asked, and what it sets is what all later stages see.
  const matches = view.customProviders.length === 0 ? noHeaders : engine.matchCustom(view, attributes);
  if (matches.length === 0) return authenticateAndDecide(context, begun);
  return next(askProvider(context, begun, matches), (asked) => authenticateAndDecide(context, asked));
}

function authenticateAndDecide(context: StageContext, progress: Progress): Verdict | Promise<Verdict> {
  const { http } = context.question.request;
  const { authentication } = context.view;

  // RequestAuthentication: tokens are verified, taken out, and their claims put in.
  if (http === undefined || authentication === undefined) return decide(context, progress);
  return next(authenticateRequest(context, progress, authentication, http), (after) => decide(context, after));
}

/** AUDIT, DENY, ALLOW. */
function decide(context: StageContext, progress: Progress): Verdict {
  const { question, snapshot, workload, view } = context;
  const { attributes, edited, clientHeaders, detail, failedOpen } = progress;
  const { http } = question.request;
  const decision = withCustom(snapshot.engine.decide(view, attributes), progress);
  const allowed = decision.outcome === "allow";
  let newTarget: ByteString | undefined;
  if (allowed && http !== undefined) {
    const target = edited?.target ?? attributes.http!.target;
    if (target !== receivedTarget(http)) newTarget = target;
    const fault = edited && newTarget !== undefined ? refuseEditedTarget(newTarget, question.door) : undefined;
    if (fault !== undefined) return refuse(true, fault, foundBy(context, progress));
  }
  const verdict: Verdict = {
    decision,
    status: allowed ? 200 : accessDenied.status,
    body: allowed ? "" : accessDenied.body,
    isHttp: http !== undefined,
    clientHeaders,
    edited: allowed ? edited : undefined,
    newTarget,
    answeredByRule: false,
    metadata: noHeaders,
    workload,
    attributes,
    requestLine: undefined,
    custom: undefined,
    detail,
    failedOpen: allowed ? failedOpen : undefined,
    origin: undefined,
  };

  // What the rule that decided adds to the answer.
  const { rule } = decision;
  const response = rule && http && snapshot.engine.respond(view, rule, attributes);
  if (response === undefined) return verdict;
  const answer = answerByRule(decision, rule!, response, progress, http!);
  return { ...verdict, ...answer, newTarget: answer.edited && newTarget, answeredByRule: true };
}

/** Says also why a CUSTOM rule asked its provider. */
function withCustom(decision: Decision, { conditionFaults }: Progress): Decision {
  return conditionFaults.length === 0
    ? decision
    : { ...decision, conditionFaults: [...conditionFaults, ...decision.conditionFaults].slice(0, MOST_FAULTS) };
}

/** Goes on with what a stage has left, or ends with its verdict: at once, if nothing had to be waited for. */
function next(
  result: StageResult | Promise<StageResult>,
  then: (progress: Progress) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  if (result instanceof Promise) return result.then((settled) => next(settled, then));
  return result.ended === undefined ? then(result.progress) : result.ended;
}

/**
 * A target without a normal form; or one that is not in it, where what was decided on could not be made what the upstream gets:
 * the HTTP service cannot change `:path`, and no answer can carry bytes that are not UTF-8.
 */
function refuseTarget(
  received: ByteString,
  target: ByteString | undefined,
  door: Question["door"],
): Refusal | undefined {
  if (target === undefined) return refusal("path/invalid", undefined, { status: 400, body: "" });
  if (target === received) return undefined;
  return door === "http" || !isText(target) ? refusal("path/not-normal") : undefined;
}

/** The same for a target that a stage has edited: a token taken out of the query, or a provider's edit. */
function refuseEditedTarget(target: ByteString, door: Question["door"]): Refusal | undefined {
  if (door === "grpc" && isText(target)) return undefined;
  return refusal("answer/not-carried", "the request target would have to be changed");
}

function isText(target: ByteString): boolean {
  return !/[\0-\x20\x7f]/.test(target) && sanitizeUtf8(target) === target;
}

/** For the log alone: nothing is decided on it. */
function requestLine(http: CheckHttp): RequestLine {
  const target = receivedTarget(http);
  return { method: http.method, host: http.host, path: target.startsWith("/") ? target : undefined };
}
