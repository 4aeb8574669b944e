import ipaddr from "ipaddr.js";
import { readRemoteAddress } from "#platform/door/remote-address";
import { parseBlock } from "#platform/fetch/address-guard";

type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** Of an IPv4 address inside an IPv6 address (RFC 4291 §2.5.5.2). */
const mappedBits = 96;

/**
 * A block of addresses as it is kept: `10.0.0.0/8`, `fd00::/8`. A single address is a block of one; a block of IPv4 addresses in IPv6 form is written in theirs.
 * Undefined when the text is none, or has bits behind its prefix, which would mean something else than it says.
 */
export function plainBlock(text: string): string | undefined {
  const whole = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
  const block = parseBlock(whole);
  if (block === undefined || readRemoteAddress(whole.slice(0, whole.indexOf("/"))) === undefined) return undefined;
  const [written, writtenBits] = block;
  const isMapped = written instanceof ipaddr.IPv6 && written.isIPv4MappedAddress() && writtenBits >= mappedBits;
  const [base, bits] = isMapped ? [written.toIPv4Address(), writtenBits - mappedBits] : [written, writtenBits];
  return isWithoutHostBits(base, bits) ? `${base.toString()}/${bits}` : undefined;
}

/** Is the address in one of these blocks? False for no address, and for what is none. */
export function isInBlocks(address: string | undefined, blocks: readonly string[]): boolean {
  const plain = address === undefined ? undefined : readRemoteAddress(address);
  if (plain === undefined) return false;
  return blocks.some((text) => {
    const block = parseBlock(text);
    return block !== undefined && contains(block, plain);
  });
}

function contains([base, bits]: readonly [IpAddress, number], address: IpAddress): boolean {
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, bits);
  return base instanceof ipaddr.IPv6 && address.match(base, bits);
}

function isWithoutHostBits(address: IpAddress, bits: number): boolean {
  return address.toByteArray().every((byte, i) => {
    const own = Math.min(Math.max(bits - 8 * i, 0), 8);
    return (byte & (0xff >> own)) === 0;
  });
}
