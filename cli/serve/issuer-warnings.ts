import type { KeySourceStatus } from "#identity/key-sources/contract";

/** Issuers whose tokens are all refused, one line each. */
export function issuerWarnings(issuers: readonly KeySourceStatus[]): string[] {
  return issuers.flatMap(({ name, state, fault }) =>
    state === "keys"
      ? []
      : [`issuer ${name}: no keys, its tokens are refused${fault === undefined ? "" : ` (${fault.message})`}`],
  );
}
