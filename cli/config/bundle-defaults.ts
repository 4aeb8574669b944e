/** What a source of policy bundles is without further words. */
export const bundleDefaults = {
  pollSeconds: 60,
  timeoutSeconds: 60,
  maxBytes: 64 * 1024 ** 2,
} as const;
