/** What `jwt` is in a configuration that does not say it. */
export const jwtDefaults = {
  algorithmFit: "envoy",
  /** An Envoy with default limits lets no request pass whose headers, path included, are longer than 60 KiB. */
  maxTokenBytes: 64 * 1024,
  /** A token with its claims takes two to four KiB. */
  cache: { maxEntries: 20_000, maxBytes: 64 * 1024 * 1024 },
  refreshSeconds: 300,
  /** Istio's. */
  maxStaleSeconds: 7 * 86_400,
} as const;
