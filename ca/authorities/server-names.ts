import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { CodedError } from "#platform/coded-error";

/** Under which names and addresses clients reach the authority's doors. */
export interface ServerNames {
  /** Lower case, without a final dot. */
  readonly dnsNames: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ipAddresses: readonly Uint8Array[];
}

/**
 * Sorts texts into DNS names and addresses, each once, in their order. A name is letters, digits, hyphens and dots (RFC 1123 §2.1), no wildcard, in
 * lower case afterwards; an address has no zone and no brackets. Fails with `ca-server/names`, also for an empty list: clients match a name.
 */
export function parseServerNames(texts: readonly string[]): ServerNames {
  const dnsNames = new Set<string>();
  const ipAddresses = new Map<string, Uint8Array>();
  for (const text of texts) {
    if (isIPv4(text) || (isIPv6(text) && !text.includes("%"))) {
      const bytes = Uint8Array.from(ipaddr.parse(text).toByteArray());
      ipAddresses.set(bytes.join("."), bytes);
    } else if (isDnsName(text)) {
      dnsNames.add(text.toLowerCase());
    } else {
      throw new CodedError(
        "ca-server/names",
        `\`${text.slice(0, 300)}\` in \`ca.serverNames\`: expected a DNS name without wildcard, or an IP address`,
      );
    }
  }
  if (dnsNames.size + ipAddresses.size === 0)
    throw new CodedError("ca-server/names", "`ca.serverNames` is empty: clients would refuse the server certificate");
  return { dnsNames: [...dnsNames], ipAddresses: [...ipAddresses.values()] };
}

function isDnsName(text: string): boolean {
  if (text.length > 253 || /^[0-9.]+$/.test(text)) return false;
  return text.split(".").every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}
