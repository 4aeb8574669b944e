import { CodedError, messageOf } from "#platform/coded-error";
import { createLineGate } from "#platform/door/line-gate";
import type { Log } from "#platform/log";
import type { CertificateRequest, IssueCertificate } from "./contract.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { type IssuanceOutcome, type IssuanceParts, issueToCaller } from "./issue.ts";
import { nameOfCaller, type Progress } from "./progress.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { IssuanceStep } from "./steps.ts";

export interface IssueCertificateParts extends IssuanceParts {
  readonly monotonicMillis: () => number;
  readonly log: Log;
  readonly onOutcome: (outcome: ObservedOutcome) => void;
}

/** For metrics. */
export interface ObservedOutcome {
  /** `issued`, or the code of the refusal. */
  readonly result: string;
  readonly method: string;
  readonly keyKind: string;
  readonly door: string;
  /** From the request's arrival to its answer. */
  readonly durationMillis: number;
}

/** Of refusals before anything was looked at. */
const rateLinesPerSecond = 10;

/**
 * The authority's one verb: counts, admits, issues, and explains what it refuses. The caller of a refusal gets its code and an id; everything
 * else is kept under the id and in the log: of refusals for rates only some, or whoever asks too often would write the log, and push the explanations of
 * others out.
 */
export function createIssueCertificate(parts: IssueCertificateParts): IssueCertificate {
  const rateLines = createLineGate(rateLinesPerSecond);
  return async (request) => {
    const beganMillis = parts.monotonicMillis();
    const progress: Progress = {};
    const outcome = await attempt(parts, request, progress);
    parts.onOutcome({
      result: outcome.ok ? "issued" : outcome.refusal.code,
      method: progress.caller?.method ?? "none",
      keyKind: progress.publicKey?.kind ?? "none",
      door: request.door,
      durationMillis: parts.monotonicMillis() - beganMillis,
    });
    if (outcome.ok) {
      logIssued(parts.log, request, progress);
      return outcome;
    }
    const { refusal } = outcome;
    const explanationId = parts.nextId();
    const refused = {
      ok: false,
      code: refusal.code,
      explanationId,
      retryAfterMillis: refusal.retryAfterMillis,
    } as const;
    const told = refusal.code.startsWith("rate/") ? rateLines.pass() : { leftOut: 0 };
    if (told === undefined) return refused;
    parts.store.keepExplanation({
      id: explanationId,
      atMillis: parts.nowMillis(),
      code: refusal.code,
      door: request.door,
      remoteAddress: request.credentials.remoteAddress,
      steps: explainRefusal(refusal, progress),
    });
    logRefused(parts.log, request, refusal, explanationId, progress, told.leftOut);
    return refused;
  };
}

async function attempt(
  parts: IssueCertificateParts,
  request: CertificateRequest,
  progress: Progress,
): Promise<IssuanceOutcome> {
  const { remoteAddress, operatorSocket, bearer, clientCertificates } = request.credentials;
  const limited = operatorSocket ? undefined : parts.limits.address(remoteAddress);
  if (limited !== undefined && !limited.ok) {
    const { code, retryAfterMillis } = limited;
    const wanted = `again in ${Math.ceil(retryAfterMillis)} ms`;
    return refuse({ step: "rate", code, seen: remoteAddress ?? "no address", wanted, retryAfterMillis });
  }
  try {
    const sizeBytes =
      request.csrPem.length + (bearer?.length ?? 0) + clientCertificates.reduce((sum, { length }) => sum + length, 0);
    const admitted = await parts.admission.admit(() => issueToCaller(parts, request, progress), sizeBytes);
    if (admitted.ok) return admitted.value;
    const { code, retryAfterMillis } = admitted;
    return refuse({ step: "rate", code, seen: "too many wait", wanted: "room", retryAfterMillis });
  } catch (fault) {
    // INVARIANT: whatever fails, nothing was handed out; the defect is told to us, and to the caller only that there is one.
    const step = stepUnderWay(progress);
    if (fault instanceof CodedError && fault.code.startsWith("ca-store/")) {
      return refuse({
        step,
        code: "store/unavailable",
        seen: `${fault.code}: ${fault.message}`,
        wanted: "a durable record",
      });
    }
    parts.log.error(
      { fault: messageOf(fault), stack: fault instanceof Error ? fault.stack : undefined },
      "issuing failed",
    );
    return refuse({ step, code: "issue/defect", seen: messageOf(fault), wanted: "no defect" });
  }
}

/** Where a request was that ended without an answer of its own, as near as what is known of it tells. */
function stepUnderWay({ caller, lifetime, serialHex }: Progress): IssuanceStep {
  if (caller === undefined) return "caller";
  if (lifetime === undefined) return "identity";
  return serialHex === undefined ? "lint" : "record";
}

function logIssued(log: Log, { door, credentials }: CertificateRequest, progress: Progress): void {
  const { caller, id, differing, serialHex, lifetime } = progress;
  const fields = {
    serial: serialHex,
    spiffeId: id?.toString(),
    caller: caller && nameOfCaller(caller),
    method: caller?.method,
    door,
    remote: credentials.remoteAddress,
    notAfter: lifetime && new Date(lifetime.notAfterMillis).toISOString(),
  };
  if (differing === undefined || differing.length === 0) log.info(fields, "certificate issued");
  else log.warn({ ...fields, differing }, "certificate issued; the request named something else");
}

function logRefused(
  log: Log,
  { door, credentials }: CertificateRequest,
  { code, step, seen, wanted }: Refusal,
  id: string,
  { caller }: Progress,
  leftOut: number,
): void {
  const remote = credentials.remoteAddress;
  const fields = { id, code, step, seen, wanted, caller: caller && nameOfCaller(caller), door, remote };
  log.info(leftOut === 0 ? fields : { ...fields, leftOut }, "certificate refused");
}
