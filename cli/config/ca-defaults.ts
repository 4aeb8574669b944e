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
  /** Whoever finds a key on a disk after its certificate ended could use it. */
  renewalGraceSeconds: 0,
  limits: {
    /** A machine with many sidecars, or a gateway that hides many machines, is one address. */
    perAddressPerSecond: 200,
    perAddressBurst: 1000,
    /** The replicas of a workload have one identity, and restart together; a client in a loop gets a small part of what one core gives (`bench/ca.ts`). */
    perCallerPerSecond: 100,
    perCallerBurst: 1000,
    /** A request waits twice for the disk, and those that wait share a write: fewer leave the processor idle at disks that take 10 ms and more. */
    inFlight: 256,
    waiting: 4096,
  },
} as const;
