/** What a source of policies in Git is without further words. */
export const gitDefaults = {
  username: "git",
  pollSeconds: 60,
  timeoutSeconds: 60,
  maxMirrorBytes: 1024 ** 3,
  tests: "report",
  onStale: "nothing",
} as const;
