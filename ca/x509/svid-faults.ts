/** Why a chain is no X509-SVID of its trust domain: THE table of `verifySvid`'s reasons. Sentences are for operators. */
export const svidFaults = {
  "chain-empty": "no certificate was presented",
  "chain-too-long": "more than eight certificates were presented",
  "chain-too-large": "the presented certificates have more than 64 KiB",
  "certificate-unreadable": "a presented certificate cannot be read",
  "leaf-version": "the leaf is not of version 3",
  "leaf-extensions": "an extension of the leaf is there twice, cannot be read, or is critical and not known",
  "leaf-is-authority": "the leaf is a CA, or may sign certificates or revocation lists (X509-SVID §5.2)",
  "leaf-key-usage": "the leaf has no key usage with digitalSignature (X509-SVID §4.3)",
  "leaf-purpose": "the leaf's extended key usage has not the purpose that it is used for (X509-SVID §4.4)",
  "leaf-no-uri": "the leaf has no URI among its names (X509-SVID §2)",
  "leaf-several-uris": "the leaf has more than one URI among its names (X509-SVID §5.2)",
  "leaf-not-spiffe-id": "the leaf's URI is no SPIFFE ID",
  "leaf-without-path": "the leaf's SPIFFE ID is a trust domain's own (X509-SVID §3.1)",
  "leaf-not-yet-valid": "the leaf is not valid yet",
  "leaf-expired": "the leaf has expired",
  "trust-domain-unknown": "there are no trust anchors for the leaf's trust domain",
  "issuer-unknown":
    "neither the presented certificates nor the anchors of the leaf's trust domain have the issuer's name and key id",
  "algorithm-mismatch": "the signature algorithms inside and outside of a certificate differ (RFC 5280 §4.1.1.2)",
  "algorithm-not-taken": "a signature algorithm is not one of those that are taken, or not one of the issuer's key",
  "signature-wrong": "a signature is not the issuer's",
  "authority-version": "an authority is not of version 3",
  "authority-extensions": "an extension of an authority is there twice, cannot be read, or is critical and not known",
  "authority-not-ca": "an issuer is no CA (RFC 5280 §4.2.1.9)",
  "authority-key-usage": "an issuer may not sign certificates by its key usage, or has none (RFC 5280 §4.2.1.3)",
  "authority-purpose": "an issuer's extended key usage has not the purpose that the leaf is used for",
  "authority-path-length": "more authorities are below an issuer than its path length permits (RFC 5280 §4.2.1.9)",
  "authority-name-constraints":
    "a name is not within an issuer's name constraints, or they are not understood (RFC 5280 §4.2.1.10)",
  "authority-not-yet-valid": "an issuer is not valid yet",
  "authority-expired": "an issuer has expired",
  "authority-key": "an issuer's key is not in one of the shapes that are taken, or no key at all",
  "authority-self-issued": "an authority that is no anchor names itself as its issuer",
  "too-many-paths": "no path was found among the first that were tried: many authorities have the same name",
} as const;

export type SvidFault = keyof typeof svidFaults;
