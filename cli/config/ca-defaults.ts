const daySeconds = 86_400;

/** What `ca` is in a configuration that does not say it. */
export const caDefaults = {
  /** Istio's. */
  audiences: ["istio-ca"],
  leaf: {
    /** Istio's; a sidecar renews at half of it. */
    defaultTtlSeconds: daySeconds,
    /** Istio's. */
    maxTtlSeconds: 90 * daySeconds,
    minTtlSeconds: 600,
    /** What was issued in one moment does not come back for more in one moment. */
    jitterPercent: 5,
    backdateSeconds: 120,
  },
  issuing: { keyKind: "P-256", lifetimeSeconds: 90 * daySeconds },
  csrNames: "ignore",
  limits: {
    /** A machine with many sidecars, or a gateway that hides many machines, is one address. */
    perAddressPerSecond: 200,
    perAddressBurst: 1000,
    /** A node's agent asks for all workloads of its node. */
    perCallerPerSecond: 20,
    perCallerBurst: 200,
    inFlight: 64,
    waiting: 4096,
  },
} as const;
