import { parseIpAddress } from "../ip-address.ts";

/** An address block. `bytes` are 4 or 16 numbers in which every bit beyond `prefixLength` is zero. */
export interface Cidr {
  readonly bytes: readonly number[];
  readonly prefixLength: number;
}

/**
 * Why a text is no address block: `address`: the part before the slash (or the whole) is no IP address; `zone`: a block, or
 * an IPv4 address, with a zone; `length`: the part behind the slash is no decimal number without leading zeros;
 * `range`: that number is larger than the address has bits.
 */
export type CidrFault = "address" | "zone" | "length" | "range";

export type CidrParse = { readonly ok: true; readonly cidr: Cidr } | { readonly ok: false; readonly fault: CidrFault };

/**
 * An IP address or block as Istio reads it (`ipBlocks`, `source.ip` and their like): with a slash Go's `netip.ParsePrefix`,
 * without one `netip.ParseAddr`. Host bits are permitted and masked away; a zone is permitted on a single IPv6 address, and
 * ignored, as Envoy never sees it.
 */
export function parseCidr(text: string): CidrParse {
  const slash = text.lastIndexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  const percent = address.indexOf("%");
  const bytes = parseIpAddress(percent === -1 ? address : address.slice(0, percent));
  if (bytes === undefined) return { ok: false, fault: "address" };
  if (percent !== -1) {
    const zoned = slash === -1 && bytes.length === 16 && percent + 1 < address.length;
    if (!zoned) return { ok: false, fault: "zone" };
  }
  const bits = bytes.length * 8;
  if (slash === -1) return { ok: true, cidr: { bytes, prefixLength: bits } };
  const lengthText = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]*)$/.test(lengthText)) return { ok: false, fault: "length" };
  const prefixLength = Number(lengthText);
  if (prefixLength > bits) return { ok: false, fault: "range" };
  return { ok: true, cidr: { bytes: mask(bytes, prefixLength), prefixLength } };
}

function mask(bytes: readonly number[], prefixLength: number): readonly number[] {
  return bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefixLength - i * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}
