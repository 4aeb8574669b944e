/** The ordered checks of every request. An explanation names each; what stands before the one that failed was passed. */
export const issuanceSteps = {
  rate: "requests of the address",
  caller: "who asks",
  impersonation: "for whom, by Istio's metadata",
  "caller-rate": "requests of the caller",
  identity: "which identity the caller may have",
  request: "the certificate request, byte by byte",
  key: "the kind of the key",
  "key-owner": "whose key it is",
  "key-quality": "how good the key is",
  proof: "the request's signature by its own key",
  names: "names in the request against the identity",
  clock: "the clock against the records",
  authority: "an authority that is active",
  lifetime: "the lifetime",
  lint: "the certificate's bytes, linted",
  record: "the intent, written down",
  sign: "the signature, verified as a relying party would",
  completion: "the certificate, written down",
} as const;

export type IssuanceStep = keyof typeof issuanceSteps;
