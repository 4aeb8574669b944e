import { wholeSecond } from "#ca/x509/time";
import type { Refusal } from "./refusal.ts";
import type { IssuanceSettings } from "./settings.ts";
import { isoTime } from "./shown-text.ts";

/** When a certificate is valid: both ends on a whole second, both included (RFC 5280 §4.1.2.5). Unix milliseconds. */
export interface Lifetime {
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
}

export interface LifetimeWanted {
  /** 0 or less, or undefined: the default. */
  readonly askedSeconds: number | undefined;
  /** What the registration says; undefined: nothing. */
  readonly registered: { readonly ttlSeconds: number | undefined; readonly maxTtlSeconds: number | undefined };
  readonly issuer: { readonly notBeforeMillis: number; readonly notAfterMillis: number };
  readonly nowMillis: number;
  /** 0 to 1, without 1. */
  readonly chance: number;
}

/** A certificate ends so long before its issuer. */
const beforeIssuerMillis = 60_000;

/**
 * How long a certificate is valid. Asked for more than allowed is refused (as istiod does); the issuer's own end cuts, and below the shortest
 * useful lifetime refuses. Never lengthens what was asked for.
 */
export function grantLifetime(
  settings: IssuanceSettings,
  { askedSeconds, registered, issuer, nowMillis, chance }: LifetimeWanted,
): { readonly ok: true; readonly lifetime: Lifetime } | { readonly ok: false; readonly refusal: Refusal } {
  const asked = askedSeconds !== undefined && askedSeconds > 0;
  const most = Math.min(registered.maxTtlSeconds ?? settings.maxTtlSeconds, settings.maxTtlSeconds);
  const wanted = asked ? askedSeconds : Math.min(registered.ttlSeconds ?? settings.defaultTtlSeconds, most);
  if (!(wanted <= most)) {
    return refused("ttl/too-long", `${wanted} s`, `at most ${most} s`);
  }
  const jittered = wanted * (1 - (chance * settings.jitterPercent) / 100);
  const latest = issuer.notAfterMillis - beforeIssuerMillis;
  const wantedEnd = nowMillis + jittered * 1000;
  const end = Math.min(wantedEnd, latest);
  if (end < wantedEnd && end - nowMillis < settings.minTtlSeconds * 1000) {
    const left = Math.max(0, Math.floor((latest - nowMillis) / 1000));
    return refused("authority/expiring", `${left} s are left`, `at least ${settings.minTtlSeconds} s`);
  }
  // A quarter at most of what is granted: whoever renews at half of a certificate's life is not due at once.
  const backdateSeconds = Math.min(settings.backdateSeconds, jittered / 4);
  const notBeforeMillis = wholeSecond(Math.max(nowMillis - backdateSeconds * 1000, issuer.notBeforeMillis));
  const notAfterMillis = wholeSecond(Math.max(end, nowMillis + 1000));
  // The issuer begins later than a clock that is a little behind: what would have ended before it begins was not worth much.
  if (notAfterMillis <= notBeforeMillis)
    return refused("clock/backwards", isoTime(nowMillis), `an issuer that begins before ${isoTime(notAfterMillis)}`);
  return { ok: true, lifetime: { notBeforeMillis, notAfterMillis } };
}

function refused(code: "ttl/too-long" | "authority/expiring" | "clock/backwards", seen: string, wanted: string) {
  return { ok: false, refusal: { step: "lifetime", code, seen, wanted } } as const;
}
