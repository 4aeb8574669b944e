import { sameBytes } from "#ca/x509/bytes";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";
import { shownName } from "../shown-name.ts";

/** Only the authority's own server certificate has any. */
export const sanIpAsGranted: Lint = {
  id: "san_ip_as_granted",
  citation: "Garita's profile",
  what: "IP addresses are the granted ones, in their order.",
  profiles: leaves,
  check({ subjectAltName }, { grantedIpAddresses }) {
    const found = subjectAltName?.flatMap((name) => (name.kind === "ip" ? [name.bytes] : [])) ?? [];
    if (found.length === grantedIpAddresses.length && found.every((ip, i) => sameBytes(ip, grantedIpAddresses[i]!)))
      return undefined;
    const shown = (all: readonly Uint8Array[]) =>
      all.map((bytes) => shownName({ kind: "ip", bytes })).join(", ") || "none";
    return `expected ${shown(grantedIpAddresses)}, found ${shown(found)}`;
  },
};
