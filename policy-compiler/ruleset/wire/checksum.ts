/**
 * CRC-32 (ISO 3309, the one of zip and gzip). It tells a damaged file from a whole one; it is no proof of who wrote it.
 * `before` is the checksum of what comes before the bytes, so that long ones can be taken in parts.
 * PERF: four bytes a step, each by a table of its own; the last few go one by one, which is also the plain version.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[768 + (crc & 0xff)]! ^
      tables[512 + ((crc >>> 8) & 0xff)]! ^
      tables[256 + ((crc >>> 16) & 0xff)]! ^
      tables[crc >>> 24]!;
  }
  for (; at < bytes.length; at++) crc = tables[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Row 0 takes a byte; row n takes one with n bytes behind it. */
const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(4 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    made[i] = crc;
  }
  for (let i = 256; i < made.length; i++) made[i] = made[made[i - 256]! & 0xff]! ^ (made[i - 256]! >>> 8);
  return made;
}
