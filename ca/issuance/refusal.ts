import type { RefusalCode } from "#ca/refusals";
import type { IssuanceStep } from "./steps.ts";

/** Why a request ends, at which step. `seen` and `wanted` are for the operator alone. */
export interface Refusal {
  readonly step: IssuanceStep;
  readonly code: RefusalCode;
  readonly seen: string;
  readonly wanted: string;
  /** More to the point than the help of the code. */
  readonly remedy?: string;
  /** A client should wait at least so long. */
  readonly retryAfterMillis?: number;
}

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

export function refuse(refusal: Refusal): Refused {
  return { ok: false, refusal };
}

/** The same wherever it is found out. */
export function revokedRefusal(step: IssuanceStep, spiffeId: string): Refusal {
  return { step, code: "identity/revoked", seen: spiffeId, wanted: "an identity that is not revoked" };
}
