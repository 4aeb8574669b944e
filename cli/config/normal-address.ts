import { parseAddress, renderAddress } from "#platform/address";

/** Equal for equal addresses; undefined where the system chooses the port, or where the text is no address. */
export function normalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined || (address.kind === "tcp" && address.port === 0)) return undefined;
  return renderAddress(address);
}
