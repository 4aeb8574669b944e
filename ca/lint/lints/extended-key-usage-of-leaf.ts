import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** A sidecar is both ends, and signs no code. */
export const extendedKeyUsageOfLeaf: Lint = {
  id: "extended_key_usage_of_leaf",
  citation: "X509-SVID §4.4, RFC 5280 §4.2.1.12",
  what: "The extended key usage of a leaf is serverAuth and clientAuth, in this order, and nothing else.",
  profiles: leaves,
  check({ extendedKeyUsage }) {
    if (extendedKeyUsage === undefined) return undefined;
    const found = extendedKeyUsage.join(", ");
    return found === `${serverAuth}, ${clientAuth}`
      ? undefined
      : `expected ${serverAuth}, ${clientAuth}, found ${found || "nothing"}`;
  },
};
