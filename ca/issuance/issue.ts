import type { AuthoritySet } from "#ca/authorities/contract";
import type { AuthenticateCaller, Caller } from "#ca/callers/contract";
import type { KeyPolicy } from "#ca/csr/key-policy";
import type { CallLimits } from "#ca/limits/call-limits";
import type { Registrations } from "#ca/registration/build-registrations";
import { answerOf, type CertifyParts, certify } from "./certify.ts";
import type { CertificateRequest, IssuedAnswer } from "./contract.ts";
import { decideGrant } from "./decide-grant.ts";
import { nameOfCaller, type Progress } from "./progress.ts";
import { type Refusal, type Refused, refuse } from "./refusal.ts";
import type { IssuanceSettings } from "./settings.ts";
import { cut } from "./shown-text.ts";

/** What issuance is made of. What may change while it runs is a function, asked once a request. */
export interface IssuanceParts extends CertifyParts {
  readonly authenticate: AuthenticateCaller;
  readonly registrations: () => Registrations;
  readonly authorities: () => AuthoritySet;
  readonly keyPolicy: () => KeyPolicy;
  readonly limits: CallLimits;
  readonly settings: () => IssuanceSettings;
  readonly isIdentityRevoked: (spiffeId: string) => boolean;
  /** The newest time that the records hold. */
  readonly latestRecordMillis: () => number;
  /** 0 to 1, without 1. */
  readonly chance: () => number;
}

export type IssuanceOutcome = IssuedAnswer | Refused;

/**
 * One request, in the order of `issuanceSteps`: who asks, which identity that may be, the request and its key, the lifetime, the linted bytes, the record
 * of the intent, the signature, the record of the completion. `progress` is filled for the explanation. Rejects only for what is a defect or a store
 * that fails: the caller of this turns that into a refusal.
 */
export async function issueToCaller(
  parts: IssuanceParts,
  request: CertificateRequest,
  progress: Progress,
): Promise<IssuanceOutcome> {
  const { credentials } = request;
  const authentication = await parts.authenticate(credentials, parts.nowMillis());
  progress.attempts = authentication.attempts;
  if (!authentication.ok) {
    const code = `caller/${authentication.kind}` as const;
    const seen = authentication.attempts.map(({ method, reason }) => `${method}: ${reason}`).join("; ");
    return refuse({
      step: "caller",
      code,
      seen: seen === "" ? "nothing" : seen,
      wanted: "one credential that is good",
    });
  }
  const { caller } = authentication;
  progress.caller = caller;
  const early = metadataRefusal(request) ?? rateRefusal(parts.limits, caller);
  if (early !== undefined) return refuse(early);

  const authorities = parts.authorities();
  const inForce = {
    authorities,
    registrations: parts.registrations(),
    settings: parts.settings(),
    keyPolicy: parts.keyPolicy(),
    isIdentityRevoked: parts.isIdentityRevoked,
    nowMillis: parts.nowMillis(),
    latestRecordMillis: parts.latestRecordMillis(),
    chance: parts.chance(),
  };
  const granted = decideGrant(inForce, caller, request, progress);
  if (!granted.ok) return granted;
  const { grant, issuing, evidence } = granted;
  const redeem =
    caller.method === "join-token"
      ? { tokenHash: caller.tokenHash, remoteAddress: credentials.remoteAddress }
      : undefined;
  const certified = await certify(parts, issuing, grant, evidence, redeem, progress);
  return certified.ok ? { ok: true, ...answerOf(certified.issued, issuing, authorities) } : certified;
}

function metadataRefusal({ certSigner, impersonatedIdentity }: CertificateRequest): Refusal | undefined {
  const step = "impersonation";
  if (impersonatedIdentity !== undefined && impersonatedIdentity !== "")
    return { step, code: "identity/impersonation", seen: cut(impersonatedIdentity), wanted: "nothing" };
  if (certSigner !== undefined && certSigner !== "")
    return { step, code: "signer/unknown", seen: cut(certSigner), wanted: "nothing" };
  return undefined;
}

function rateRefusal(limits: CallLimits, caller: Caller): Refusal | undefined {
  // The operator's own socket is no stranger's.
  const answer = caller.method === "operator" ? undefined : limits.caller(caller);
  if (answer === undefined || answer.ok) return undefined;
  const { code, retryAfterMillis } = answer;
  const wanted = `again in ${Math.ceil(retryAfterMillis)} ms`;
  return { step: "caller-rate", code, seen: nameOfCaller(caller), wanted, retryAfterMillis };
}
