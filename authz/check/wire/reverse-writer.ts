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

  /** A string field in UTF-8, written even when it is empty; a lone surrogate becomes U+FFFD. */
  text(field: number, text: string): void {
    if (!this.#shortAscii(text)) {
      const length = Buffer.byteLength(text, "utf8");
      this.#reserve(length);
      this.#start -= length;
      this.#buffer.write(text, this.#start, length, "utf8");
      this.#varint(length);
    }
    this.#varint((field << 3) | 2);
  }

  /** A copy of what was written since `begin`. */
  finish(): Uint8Array {
    const message = Buffer.allocUnsafe(this.#buffer.length - this.#start);
    this.#buffer.copy(message, 0, this.#start);
    return message;
  }

  /** PERF: nearly every text is short and ASCII; a loop is then quicker than two calls out of JavaScript. */
  #shortAscii(text: string): boolean {
    const length = text.length;
    if (length >= 0x80) return false;
    this.#reserve(length);
    const buffer = this.#buffer;
    const start = this.#start - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      buffer[start + i] = code;
    }
    this.#start = start;
    this.#varint(length);
    return true;
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
