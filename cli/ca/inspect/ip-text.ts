import ipaddr from "ipaddr.js";

/** An address of 4 or 16 bytes as people write it. */
export function ipText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
