/** How much of a certificate request is read; `docs/limits.md` tells them. The largest one of a key that is taken, RSA-4096, has 1.7 KiB of PEM. */
export const csrLimits = {
  pemCharacters: 16 * 1024,
  derBytes: 8 * 1024,
  /** Elements inside each other: as many as a request with extensions has. */
  depth: 8,
  /** One name; a SPIFFE ID has at most so many (SPIFFE-ID §2.3). */
  nameBytes: 2048,
} as const;
