import type { KeyKind } from "#ca/x509/contract";

/** What authorities are made like. */
export interface AuthoritySettings {
  readonly rootKeyKind: KeyKind;
  readonly issuingKeyKind: KeyKind;
  readonly rootLifetimeMillis: number;
  /** At least 24 hours; renewed at half of it. */
  readonly issuingLifetimeMillis: number;
  /** No leaf lives longer: so long an authority that was replaced stays. */
  readonly longestLeafMillis: number;
}

const day = 24 * 3_600_000;

/** P-256 for both: default Envoys cannot shake hands with P-384 leaves, and RSA issuers cost three times as much. */
export const defaultAuthoritySettings: AuthoritySettings = {
  rootKeyKind: "P-256",
  issuingKeyKind: "P-256",
  rootLifetimeMillis: 3650 * day,
  issuingLifetimeMillis: 90 * day,
  longestLeafMillis: 90 * day,
};
