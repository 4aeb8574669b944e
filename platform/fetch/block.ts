import { isIP } from "node:net";

/** Takes `10.0.0.0/8` or `fd00::/8` apart; undefined when the text is no block of addresses. */
export function splitBlock(text: string): { readonly address: string; readonly prefixBits: number } | undefined {
  const [, address = "", bits = ""] = /^([^/%]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  return { address, prefixBits: Number(bits) };
}
