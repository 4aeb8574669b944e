/**
 * Random bytes out of blocks that are drawn at once. INVARIANT: no byte is given out twice, nor kept once it is given out. For numbers that are public afterwards, and of which many are
 * drawn: what must stay secret is drawn by itself.
 *
 * PERF: a draw of 16 bytes by `crypto.randomBytes` takes 4 µs, one of 4 KiB twice as long (`bench/ca.ts`).
 */
export function createRandomPool(
  random: (sizeBytes: number) => Uint8Array,
  blockSizeBytes = 4096,
): (sizeBytes: number) => Uint8Array {
  let block = new Uint8Array();
  let next = 0;
  return (sizeBytes) => {
    if (sizeBytes > blockSizeBytes) return random(sizeBytes);
    if (next + sizeBytes > block.length) {
      block = Uint8Array.from(random(blockSizeBytes));
      next = 0;
    }
    const taken = block.slice(next, next + sizeBytes);
    block.fill(0, next, next + sizeBytes);
    next += sizeBytes;
    return taken;
  };
}
