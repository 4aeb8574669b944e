/** RFC 9580 §5.2. */
const SIGNATURE = 2;

/**
 * Is this the armor of OpenPGP signatures, and of nothing else? What they say is not looked at. PERF: gpg also takes packets that are compressed, and unpacks 400 bytes for as long
 * as whoever made them likes.
 */
export function isOpenpgpSignature(text: string): boolean {
  const bytes = decodeArmor(text);
  let at = 0;
  while (at < bytes.length) {
    const end = endOfSignature(bytes, at);
    if (end === undefined) return false;
    at = end;
  }
  return at > 0 && at === bytes.length;
}

/** RFC 9580 §6.2; empty: it is none. Its headers, and the checksum, say nothing. */
function decodeArmor(text: string): Uint8Array {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  const blank = lines.indexOf("");
  const isArmor =
    lines[0] === "-----BEGIN PGP SIGNATURE-----" &&
    lines.at(-1) === "-----END PGP SIGNATURE-----" &&
    lines.slice(1, blank).every((line) => /^[A-Za-z]+:(?: |$)/.test(line));
  const body = lines.slice(blank + 1, -1);
  if (body.at(-1)?.startsWith("=")) body.pop();
  const digits = body.join("");
  return Buffer.from(isArmor && blank > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(digits) ? digits : "", "base64");
}

/** Where the packet ends that begins there; undefined: it is no signature, or does not say how long it is. */
function endOfSignature(bytes: Uint8Array, at: number): number | undefined {
  const first = bytes[at]!;
  const number = (width: number) =>
    bytes.subarray(at + 1, at + 1 + width).reduce((value, byte) => value * 256 + byte, 0);
  const second = bytes[at + 1] ?? 255;
  // RFC 9580 §4.2.2: the form of before has the type in four bits, and the width of the length in two.
  if ((first & 0xc0) === 0x80) {
    const width = [1, 2, 4][first & 3];
    return (first >> 2) % 16 === SIGNATURE && width !== undefined ? at + 1 + width + number(width) : undefined;
  }
  if (first !== (0xc0 | SIGNATURE)) return undefined;
  // RFC 9580 §4.2.1.
  if (second < 192) return at + 2 + second;
  if (second < 224) return at + 3 + number(2) - 192 * 256 + 192;
  return second === 255 ? at + 6 + (number(5) % 2 ** 32) : undefined;
}
