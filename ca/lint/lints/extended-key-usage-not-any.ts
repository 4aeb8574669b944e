import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Said by itself: it makes every other purpose void. */
export const extendedKeyUsageNotAny: Lint = {
  id: "extended_key_usage_not_any",
  citation: "RFC 5280 §4.2.1.12",
  what: "anyExtendedKeyUsage is not among the purposes.",
  profiles: everyProfile,
  check: ({ extendedKeyUsage }) =>
    extendedKeyUsage?.includes("2.5.29.37.0") === true ? "expected purposes, found anyExtendedKeyUsage" : undefined,
};
