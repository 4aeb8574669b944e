import type { IssuingAuthority } from "#ca/authorities/contract";

/** The wall clock may go back so far before nothing is issued any more. */
const clockToleranceMillis = 5 * 60_000;

/**
 * Before this moment nothing is issued, for the clock must be wrong: five minutes before the newest record, or before the beginning of the authority. What one made by a clock that was ahead
 * would sign now, nobody could verify before its time has come.
 */
export function earliestIssuanceMillis(latestRecordMillis: number, issuing: IssuingAuthority | undefined): number {
  const beginMillis = issuing?.certificate.notBefore.millis ?? latestRecordMillis;
  return Math.max(latestRecordMillis, beginMillis) - clockToleranceMillis;
}
