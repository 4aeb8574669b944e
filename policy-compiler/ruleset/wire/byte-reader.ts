/**
 * Bytes that are no rule set. Thrown inside the codec alone, and caught where it is entered (`decodeRuleSet`), so that each
 * reader stays a plain expression.
 */
export class Malformed extends Error {}

/** Reads what a `ByteWriter` wrote. Never reads past the end, never allocates more than the bytes that are left can fill. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  uint(): number {
    const first = this.#byte();
    return first < 0x80 ? first : this.#longUint(first);
  }

  /** A number below `limit`. */
  below(limit: number, what: string): number {
    const value = this.uint();
    if (value >= limit) throw new Malformed(`${what} is out of range`);
    return value;
  }

  /** The number of items that follow. Each item takes a byte or more, so that no larger number can be true. */
  count(): number {
    const value = this.uint();
    if (value > this.remaining) throw new Malformed("a list is longer than the bytes that are left");
    return value;
  }

  raw(size: number): Uint8Array {
    if (size > this.remaining) throw new Malformed("the bytes end too early");
    const start = this.#at;
    this.#at += size;
    return this.#bytes.subarray(start, this.#at);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Malformed("the bytes end too early");
    this.#at++;
    return byte;
  }

  #longUint(first: number): number {
    let value = first & 0x7f;
    let unit = 0x80;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (value > Number.MAX_SAFE_INTEGER) throw new Malformed("a number is too large");
      if (byte < 0x80) {
        if (byte === 0) throw new Malformed("a number is longer than it needs to be");
        return value;
      }
      unit *= 0x80;
    }
  }
}
