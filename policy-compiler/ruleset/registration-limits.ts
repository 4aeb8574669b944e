/** How much one WorkloadRegistration can say. Its DNS names have to fit into a certificate beside its identity, a key and a signature: 4 KiB in all. */
export const registrationLimits = {
  callers: 64,
  claims: 16,
  /** Of one claim. */
  values: 64,
  dnsNames: 32,
  /** Of all DNS names together. */
  dnsNameCharacters: 1024,
  minTtlSeconds: 60,
  /** 90 days: Istio's. */
  maxTtlSeconds: 90 * 24 * 3600,
} as const;
