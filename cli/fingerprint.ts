import { UsageFault } from "./usage-fault.ts";

/** The SHA-256 of a certificate as 64 hexadecimal digits in lower case, of what OpenSSL and browsers write (`AB:CD`), or of plain hex. Throws `UsageFault` for anything else. */
export function normalFingerprint(written: string): string {
  const normal = written.replaceAll(":", "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(normal)) return normal;
  throw new UsageFault(`expected a SHA-256 in hex, found \`${written}\``, { hinted: true });
}
