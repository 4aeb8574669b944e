/** How certificates are given out. Seconds are whole. */
export interface IssuanceSettings {
  readonly defaultTtlSeconds: number;
  /** More is refused, never cut. Istio's limit is 90 days. */
  readonly maxTtlSeconds: number;
  /** When less is left of the issuing authority's own lifetime, nothing is issued. */
  readonly minTtlSeconds: number;
  /** A lifetime is shortened by up to so many percent, so that what was issued together does not renew together. */
  readonly jitterPercent: number;
  /** Certificates begin so long before they are made, for clocks that are behind. */
  readonly backdateSeconds: number;
  /** What becomes of names in a request that differ from the identity: passed over and written down, or refused. */
  readonly csrNames: "ignore" | "strict";
  /** So long after its end a certificate is renewed for the very same key; 0: not at all. */
  readonly renewalGraceSeconds: number;
}

/** Istio's lifetimes; the rest is ours. */
export const issuanceDefaults: IssuanceSettings = {
  defaultTtlSeconds: 24 * 3600,
  maxTtlSeconds: 90 * 24 * 3600,
  minTtlSeconds: 600,
  jitterPercent: 5,
  backdateSeconds: 120,
  csrNames: "ignore",
  renewalGraceSeconds: 0,
};
