/** What a stream may ask for. Beyond, it ends with RESOURCE_EXHAUSTED, but for names that are too long. `docs/limits.md` tells them. */
export const discoveryLimits = {
  /** Names in one request, those that are asked for twice counted twice; and names that are kept of one stream. */
  names: 10_000,
  /** UTF-8. No resource has a longer name: such a one is counted, and otherwise as if it were not there. */
  nameBytes: 4 * 1024,
  /** What is kept of the names of one stream. */
  streamBytes: 4 * 1024 * 1024,
  /** And of all streams together, requests that wait until it is known who asks included. */
  totalBytes: 128 * 1024 * 1024,
  /** Versions of one name that the stream rejected, and that are not sent again. The oldest is forgotten first. */
  rejectedVersions: 8,
  /** A response of the delta protocol that has so many bytes gets no more resources: the others come in the next one. */
  responseBytes: 1024 * 1024,
} as const;

/** How much of a stranger's text is shown. INVARIANT: a name is whole where it can be that of a bundle, for who waits for a bundle to be acknowledged looks for it here. */
export const shownBytes = { node: 256, name: 512, message: 1024 } as const;
/** How many names of a stream are listed. */
export const shownNames = 100;
