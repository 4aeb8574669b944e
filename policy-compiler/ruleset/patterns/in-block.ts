/** Is the address (4 or 16 bytes) in the block? Blocks are masked; an address of the other family is in none. */
export function inBlock(
  address: { readonly bytes: readonly number[] | Uint8Array },
  block: readonly number[],
  prefixLength: number,
): boolean {
  const bytes = address.bytes;
  if (bytes.length !== block.length) return false;
  const whole = prefixLength >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== block[i]) return false;
  const rest = prefixLength & 7;
  if (rest === 0) return true;
  const shift = 8 - rest;
  return bytes[whole]! >> shift === block[whole]! >> shift;
}
