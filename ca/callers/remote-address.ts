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
