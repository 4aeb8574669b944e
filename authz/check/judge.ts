import { CheckAttributes } from "#authz/check/attributes/check-attributes";
import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import { UNKNOWN, type Workload } from "#authz/engine/attributes";
import type { Decision, RuleRef } from "#authz/engine/decision";
import type { ByteString, Origin } from "#policy-compiler/ruleset/model";
import type { CallMetadata, ListenerSettings, RequestLine, Snapshot } from "./contract.ts";
import { refuseMalformed } from "./malformed.ts";
import { refuseWithoutMutualTls } from "./mutual-tls.ts";
import { normalizePath } from "./path/normalize.ts";
import { receivedTarget } from "./path/received-target.ts";
import { accessDenied, type Refusal, refusal, refusedDecision } from "./refusal.ts";
import type { CheckHttp, CheckRequest } from "./wire/check-request.ts";
import { resolveWorkload } from "./workload/resolve.ts";

/** One check as its door read it. */
export interface Question {
  readonly request: CheckRequest;
  readonly metadata: CallMetadata;
  readonly listener: ListenerSettings;
  /** What the door carries: gRPC brings `source.principal` and can be told another `:path`; the HTTP service neither. */
  readonly door: "grpc" | "http";
}

/** What is to be answered and recorded. Knows nothing of the wire. */
export interface Verdict {
  readonly decision: Decision;
  /** HTTP status that the client is meant to see: 200 when allowed. */
  readonly status: number;
  readonly body: string;
  readonly isHttp: boolean;
  /** Allowed, and the target that was decided on is not the one received: what `:path` is to be. */
  readonly newTarget: ByteString | undefined;
  readonly workload: Workload | undefined;
  readonly attributes: CheckAttributes | undefined;
  /** Where attributes could not be made, for want of a workload: what was asked. */
  readonly requestLine: RequestLine | undefined;
  readonly custom: RuleRef | undefined;
  readonly detail: string | undefined;
  /** Where what refused was written, if that is a document without rules. */
  readonly origin: Origin | undefined;
}

/** What was known when a stage answered. */
interface Found {
  readonly workload?: Workload;
  readonly attributes?: CheckAttributes;
  readonly requestLine?: RequestLine;
  readonly custom?: RuleRef;
}

/**
 * Decides one check on one snapshot. ORDER: that of Istio's filter chain; the first stage that answers ends it. Synchronous;
 * the stages that will wait for something outside (providers, signatures of tokens) refuse here, where they will stand.
 */
export function judge(question: Question, { engine }: Snapshot): Verdict {
  const { request, metadata, listener, door } = question;
  const { http } = request;
  const isHttp = http !== undefined;
  const { mesh } = engine.ruleSet;

  // Whose policies?
  const found = resolveWorkload(engine.ruleSet, request, listener.workload);
  if (!found.ok) {
    const asked = http && { requestLine: requestLine(http) };
    return refuse(isHttp, refusal(found.reason, found.detail), asked);
  }
  const { workload } = found;
  const view = engine.view(workload);

  // The request target in the form that policies and upstream are to see.
  const received = http && receivedTarget(http);
  const target = received === undefined ? undefined : normalizePath(received, mesh.pathNormalization);

  const tokensConcern = isHttp && view.requestAuthentications.length > 0;
  const attributes = new CheckAttributes({
    request,
    metadata,
    listener,
    workload,
    mesh,
    target,
    // Without a rule that could verify a token there is no claim, as in Istio.
    claims: tokensConcern ? UNKNOWN : undefined,
    principalTold: door === "grpc",
  });
  const known = { workload, attributes };

  // PeerAuthentication.
  const shortfall = refuseWithoutMutualTls(view, attributes, engine.ruleSet, listener);
  if (shortfall !== undefined) return refuse(isHttp, shortfall, known);

  // What Envoy's front end answers.
  const fault = http && (refuseMalformed(http) ?? refuseTarget(received!, target, door));
  if (fault !== undefined) return refuse(isHttp, fault, known);

  // CUSTOM: a provider that wants to be asked cannot be asked yet.
  const custom = view.hasCustom ? engine.matchCustom(view, attributes)[0] : undefined;
  if (custom !== undefined) {
    const detail = `provider \`${custom.provider}\` cannot be asked`;
    return refuse(isHttp, refusal("policy/custom-denied", detail), { ...known, custom: custom.rule });
  }

  // RequestAuthentication: a token cannot be verified yet.
  if (tokensConcern) return refuse(isHttp, refusal("authentication/unavailable"), known);

  // AUDIT, DENY, ALLOW.
  const decision = engine.decide(view, attributes);
  const allowed = decision.outcome === "allow";
  return {
    decision,
    status: allowed ? 200 : accessDenied.status,
    body: allowed ? "" : accessDenied.body,
    isHttp,
    newTarget: allowed && target !== received ? target : undefined,
    workload,
    attributes,
    requestLine: undefined,
    custom: undefined,
    detail: undefined,
    origin: undefined,
  };
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
  if (door === "http" || /[\0-\x20\x7f]/.test(target) || sanitizeUtf8(target) !== target)
    return refusal("path/not-normal");
  return undefined;
}

/** For the log alone: nothing is decided on it. */
function requestLine(http: CheckHttp): RequestLine {
  const target = receivedTarget(http);
  return { method: http.method, host: http.host, path: target.startsWith("/") ? target : undefined };
}

/** A verdict without policies. */
export function refuse(isHttp: boolean, { reason, reply, detail, origin }: Refusal, found: Found = {}): Verdict {
  return {
    decision: refusedDecision(reason, found.custom),
    status: reply.status,
    body: reply.body,
    isHttp,
    newTarget: undefined,
    workload: found.workload,
    attributes: found.attributes,
    requestLine: found.requestLine,
    custom: found.custom,
    detail,
    origin,
  };
}
