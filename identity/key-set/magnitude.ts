/** Big-endian bytes as a number that is not negative; no bytes are zero. */
export function magnitude(bytes: Uint8Array): bigint {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return BigInt(`0x0${digits}`);
}

/** The same number without leading zeros, or with as many as make `sizeBytes` (RFC 7518 §2, Base64urlUInt; §6.2.1.2). */
export function toMagnitude(bytes: Uint8Array, sizeBytes = 0): Uint8Array {
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const dense = bytes.subarray(zeros);
  if (dense.length >= sizeBytes) return dense;
  const padded = new Uint8Array(sizeBytes);
  padded.set(dense, sizeBytes - dense.length);
  return padded;
}

/** Bits of a number given without leading zeros. */
export function bitLength(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : bytes.length * 8 - Math.clz32(bytes[0]!) + 24;
}
