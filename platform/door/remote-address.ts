import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * The address of a socket's other end. An IPv4 address is one also where a socket for both families writes it as IPv6 (RFC 4291 §2.5.5.2). Undefined when the
 * text is none. The other, deprecated way to write IPv4 in IPv6 (`::10.1.2.3`) is not taken: the library reads it as the first.
 */
export function readRemoteAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const family = isIP(text);
  if (family === 0) return undefined;
  if (family === 6 && text.includes(".") && !/^::ffff:/i.test(text)) return undefined;
  return ipaddr.process(text);
}

/**
 * Who counts as one: an IPv4 address, also where it is written as IPv6, and a /64 of IPv6 addresses, of which any machine has as many as it likes (RFC 6177).
 */
export function addressName(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return "no address";
  const address = readRemoteAddress(remoteAddress);
  if (address === undefined) return "another address";
  if (address instanceof ipaddr.IPv4) return address.toString();
  return address.toByteArray().slice(0, 8).join(" ");
}
