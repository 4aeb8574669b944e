import type { Caller } from "#ca/callers/contract";
import type { RefusalCode } from "#ca/refusals";
import { addressName } from "#platform/door/remote-address";
import { createRateLimiter, type RateAnswer } from "./rate-limiter.ts";

/** How much is asked at most. All are at least 1. */
export interface CallRates {
  readonly perAddressPerSecond: number;
  readonly perAddressBurst: number;
  readonly perCallerPerSecond: number;
  readonly perCallerBurst: number;
}

export type LimitAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: Extract<RefusalCode, "rate/address" | "rate/caller">;
      readonly retryAfterMillis: number;
    };

export interface CallLimits {
  /** Before anything else is looked at, also before who asks. Undefined, as of a Unix socket: all of those are counted together. */
  address(remoteAddress: string | undefined): LimitAnswer;
  /** Once it is known who asks: by identity, not by credential, because a client in a loop has a new certificate each time. */
  caller(caller: Caller): LimitAnswer;
}

export interface CallLimitsParts {
  /** Asked each time: a change counts from the next request on. */
  readonly rates: () => CallRates;
  readonly monotonicMillis: () => number;
  /** So many random bytes, that nobody can foresee. */
  readonly random: (sizeBytes: number) => Uint8Array;
}

/** Limits by address and by caller, in 4 MiB whoever asks. Fail with `rate/address` and `rate/caller`. */
export function createCallLimits({ rates, monotonicMillis, random }: CallLimitsParts): CallLimits {
  const addresses = createRateLimiter({
    rate: () => ({ perSecond: rates().perAddressPerSecond, burst: rates().perAddressBurst }),
    monotonicMillis,
    random,
  });
  const callers = createRateLimiter({
    rate: () => ({ perSecond: rates().perCallerPerSecond, burst: rates().perCallerBurst }),
    monotonicMillis,
    random,
  });
  return {
    address: (remoteAddress) => limitAnswer("rate/address", addresses.take(addressName(remoteAddress))),
    caller: (caller) => limitAnswer("rate/caller", callers.take(callerName(caller))),
  };
}

function limitAnswer(code: "rate/address" | "rate/caller", answer: RateAnswer): LimitAnswer {
  return answer.ok ? answer : { ok: false, code, retryAfterMillis: answer.retryAfterMillis };
}

/** INVARIANT: different callers have different names; no text of one can be made to look like another's. */
export function callerName(caller: Caller): string {
  switch (caller.method) {
    case "x509-svid":
    case "ended-x509-svid":
    case "join-token":
      return caller.id.toString();
    case "jwt":
      return JSON.stringify([caller.issuer, caller.subject]);
    case "operator":
      return "operator";
  }
}
