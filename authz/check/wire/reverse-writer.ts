/**
 * Writes a protobuf message from its end to its beginning, so that the length of a nested message is known when it is written.
 * Callers write fields, and list elements, last first.
 */
export class ReverseWriter {
  #buffer: Buffer;
  #start: number;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
    this.#start = capacity;
  }

  /** Forgets what a defect may have left half written. */
  begin(): void {
    this.#start = this.#buffer.length;
  }

  /** What to give `closeMessage` once the message's fields are written. */
  openMessage(): number {
    return this.#buffer.length - this.#start;
  }

  closeMessage(field: number, opened: number): void {
    this.#varint(this.#buffer.length - this.#start - opened);
    this.#varint((field << 3) | 2);
  }

  /** A varint field, written even when it is 0. */
  number(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field << 3);
  }

  /** A string field, written even when it is empty. `text` must be ASCII. */
  ascii(field: number, text: string): void {
    const length = text.length;
    this.#reserve(length);
    this.#start -= length;
    // PERF (bench: codec): header names and values are short, and a loop is quicker than a call out of JavaScript then.
    if (length < 48) for (let i = 0; i < length; i++) this.#buffer[this.#start + i] = text.charCodeAt(i);
    else this.#buffer.write(text, this.#start, length, "latin1");
    this.#varint(length);
    this.#varint((field << 3) | 2);
  }

  /** A string field in UTF-8; a lone surrogate becomes U+FFFD. */
  utf8(field: number, text: string): void {
    const length = Buffer.byteLength(text, "utf8");
    this.#reserve(length);
    this.#start -= length;
    this.#buffer.write(text, this.#start, length, "utf8");
    this.#varint(length);
    this.#varint((field << 3) | 2);
  }

  /** A copy of what was written since `begin`. */
  finish(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(this.#start));
  }

  #varint(value: number): void {
    this.#reserve(5);
    if (value < 0x80) {
      this.#buffer[--this.#start] = value;
      return;
    }
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
    this.#start -= length;
    let rest = value;
    for (let i = 0; i < length; i++, rest >>>= 7) {
      this.#buffer[this.#start + i] = i === length - 1 ? rest : (rest & 0x7f) | 0x80;
    }
  }

  #reserve(length: number): void {
    if (length <= this.#start) return;
    const used = this.#buffer.length - this.#start;
    const grown = Buffer.allocUnsafeSlow(2 * (used + length));
    this.#buffer.copy(grown, grown.length - used, this.#start);
    this.#start = grown.length - used;
    this.#buffer = grown;
  }
}
