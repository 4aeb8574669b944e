import type { TokenVerification } from "#authz/check/contract";

/** For programs that verify no tokens: none is known, and none is good. */
export const noVerification: TokenVerification = {
  maxTokenBytes: 0,
  known: () => undefined,
  verify: () => ({ ok: false, fault: "signature" }),
};
