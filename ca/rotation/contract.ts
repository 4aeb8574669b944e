/** Somebody who gets the trust bundle by a stream, and says when it has it. */
export interface BundleStream {
  /** SPIFFE ID of the caller. */
  readonly spiffeId: string;
  /** SHA-256 of the certificate that it brought, hex: which of those that are in use it speaks for. */
  readonly fingerprint: string | undefined;
  /** `node.id` as it gave it: shown, never believed. */
  readonly node: string;
  /** `bundleVersion` of what it acknowledged last. */
  readonly acknowledged: string | undefined;
  /** What it rejected since, in its own words. */
  readonly rejected: { readonly version: string; readonly message: string } | undefined;
}
