import type { IpAddress } from "#authz/engine/attributes";

/**
 * An IP address as Envoy prints one: dotted IPv4 (no leading zeros), or IPv6 in any spelling of RFC 4291 §2.2, a zone (`%eth0`)
 * left out. Undefined for anything else: a port, brackets, spaces, a path. An IPv4-mapped IPv6 text stays 16 bytes: families
 * never cross.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes && { bytes };
}

/** Equal addresses have equal keys, however they were spelled. */
export function ipAddressKey(address: IpAddress): string {
  return address.bytes.join(".");
}

function parseIpv4(text: string): number[] | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  const bytes: number[] = [];
  let value = -1;
  for (let i = 0; i <= text.length; i++) {
    const c = i === text.length ? 0x2e : text.charCodeAt(i);
    if (c === 0x2e) {
      if (value < 0 || bytes.length === 4) return undefined;
      bytes.push(value);
      value = -1;
    } else if (c < 0x30 || c > 0x39 || value === 0) {
      return undefined;
    } else {
      value = value < 0 ? c - 0x30 : value * 10 + c - 0x30;
      if (value > 255) return undefined;
    }
  }
  return bytes.length === 4 ? bytes : undefined;
}

function parseIpv6(whole: string): number[] | undefined {
  const zone = whole.indexOf("%");
  const text = zone < 0 ? whole : whole.slice(0, zone);
  if (zone >= 0 && zone === whole.length - 1) return undefined;
  const gap = text.indexOf("::");
  if (gap < 0) {
    const bytes = parseGroups(text, true);
    return bytes?.length === 16 ? bytes : undefined;
  }
  const head = parseGroups(text.slice(0, gap), false);
  const tail = parseGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

function parseGroups(text: string, maybeIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (maybeIpv4 && i === groups.length - 1 && group.includes(".")) {
      const last = parseIpv4(group);
      if (last === undefined) return undefined;
      bytes.push(...last);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
