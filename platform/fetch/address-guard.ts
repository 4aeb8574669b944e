import ipaddr from "ipaddr.js";
import { splitBlock } from "./block.ts";

/** Addresses from which nothing is fetched, whatever a policy says: behind them are no issuers but things that trust whoever asks. */
const neverFetched: readonly (readonly [block: string, what: string])[] = [
  ["169.254.0.0/16", "link-local, with most clouds' metadata"],
  ["fe80::/10", "link-local"],
  ["fd00:ec2::254/128", "metadata of Amazon EC2"],
  ["fd20:ce::254/128", "metadata of Google Compute Engine"],
  ["100.100.100.200/32", "metadata of Alibaba Cloud"],
  ["168.63.129.16/32", "the host agent of Azure"],
  ["192.0.0.192/32", "metadata of Oracle Cloud"],
  ["0.0.0.0/8", "unspecified"],
  ["::/128", "unspecified"],
  ["224.0.0.0/4", "multicast"],
  ["ff00::/8", "multicast"],
  ["255.255.255.255/32", "broadcast"],
];

/** A block of addresses. Bits beyond the prefix do not count. */
export type AddressBlock = readonly [base: ipaddr.IPv4 | ipaddr.IPv6, prefixBits: number];

/** Reads `10.0.0.0/8` or `fd00::/8`; undefined when the text is no block. */
export function parseBlock(text: string): AddressBlock | undefined {
  const block = splitBlock(text);
  return block === undefined ? undefined : [ipaddr.parse(block.address), block.prefixBits];
}

export interface AddressGuard {
  /** Why nothing may be fetched from this IP address; undefined when it may. */
  refusal(address: string): string | undefined;
}

/**
 * Refuses what no issuer lives at, and the blocks given. Private ranges and this machine are let in: issuers do live there. An IPv4
 * address inside an IPv6 address is seen: mapped and compatible (RFC 4291 §2.5.5), NAT64 (RFC 6052 §2.1; RFC 8215 with a prefix of 96 bits), 6to4 (RFC 3056 §2).
 */
export function createAddressGuard(blocked: readonly AddressBlock[]): AddressGuard {
  const refused = [
    ...neverFetched.map(([block, what]) => ({ block: parseBlock(block)!, what })),
    ...blocked.map((block) => ({ block, what: `in the blocked range ${block[0].toString()}/${block[1]}` })),
  ];
  return {
    refusal(address) {
      if (!ipaddr.isValid(address)) return "no IP address";
      const meant = meanings(ipaddr.parse(address));
      return refused.find(({ block }) => meant.some((each) => isIn(each, block)))?.what;
    },
  };
}

type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

function isIn(address: IpAddress, [base, bits]: AddressBlock): boolean {
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, bits);
  return base instanceof ipaddr.IPv6 && address.match(base, bits);
}

/** Where in an IPv6 address of this block an IPv4 address stands. */
const embeddings: readonly (readonly [block: AddressBlock, at: number])[] = [
  [parseBlock("::/96")!, 12],
  [parseBlock("64:ff9b::/96")!, 12],
  [parseBlock("64:ff9b:1::/48")!, 12],
  [parseBlock("2002::/16")!, 2],
];

/** The address, and every other address that it may stand for. */
function meanings(address: IpAddress): readonly IpAddress[] {
  if (address instanceof ipaddr.IPv4) return [address, address.toIPv4MappedAddress()];
  if (address.isIPv4MappedAddress()) return [address, address.toIPv4Address()];
  const bytes = address.toByteArray();
  const inner = embeddings.filter(([block]) => isIn(address, block)).map(([, at]) => ipv4(bytes.slice(at, at + 4)));
  // The first addresses of `::/96` are this machine and no address; neither is an IPv4 address in disguise.
  const [number] = bytes.slice(-1);
  const lonely = bytes.slice(0, 15).every((byte) => byte === 0) && number! <= 1;
  return lonely ? [address] : [address, ...inner];
}

function ipv4(bytes: readonly number[]): ipaddr.IPv4 {
  return new ipaddr.IPv4([...bytes]);
}
