import type { IpAddress } from "#authz/engine/attributes";
import { parseIpAddress as parseBareAddress } from "#policy-compiler/ruleset/ip-address";

/**
 * An IP address as Envoy prints one: dotted IPv4 (no leading zeros), or IPv6 in any spelling of RFC 4291 §2.2, a zone (`%eth0`)
 * left out. Undefined for anything else: a port, brackets, spaces, a path. An IPv4-mapped IPv6 text stays 16 bytes: families
 * never cross.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = parseBareAddress(withoutZone(text));
  return bytes && { bytes };
}

/** Equal addresses have equal keys, however they were spelled. */
export function ipAddressKey(address: IpAddress): string {
  return address.bytes.join(".");
}

/** RFC 4007 §11: IPv6 alone has zones, and none is empty. Other texts stay as they are, and with their `%` they are no address. */
function withoutZone(text: string): string {
  const zone = text.indexOf("%");
  if (zone < 0 || zone === text.length - 1) return text;
  const address = text.slice(0, zone);
  return address.includes(":") ? address : text;
}
