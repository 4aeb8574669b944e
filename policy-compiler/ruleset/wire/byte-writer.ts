/** A growing run of bytes. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A whole number from 0 to 2^53 - 1 in seven bits a byte, lowest first. Anything else is a defect of the caller. */
  uint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`a rule set cannot hold the number ${value}`);
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The characters of a text as one byte each (`size` 1) or two, low byte first (`size` 2). */
  characters(text: string, size: 1 | 2): void {
    this.#reserve(text.length * size);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.#bytes[this.#length++] = code & 0xff;
      if (size === 2) this.#bytes[this.#length++] = code >> 8;
    }
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written as a text of one character a byte: a key by which equal runs are found. */
  toText(): string {
    let text = "";
    for (let at = 0; at < this.#length; at += 4096) {
      const part = this.#bytes.subarray(at, Math.min(at + 4096, this.#length));
      text += String.fromCharCode.apply(undefined, part as unknown as number[]);
    }
    return text;
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
