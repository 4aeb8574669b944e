import type { CallRoom } from "./call-room.ts";

/** Bytes of a call that wait for those that are still to come, in one piece: as many small ones take no more room than they count. */
export class PendingBytes {
  readonly #room: CallRoom;
  #bytes = Buffer.alloc(0);
  #begin = 0;
  #end = 0;

  constructor(room: CallRoom) {
    this.#room = room;
  }

  get sizeBytes(): number {
    return this.#end - this.#begin;
  }

  /** A view, good until the next call of another verb. */
  get bytes(): Buffer {
    return this.#bytes.subarray(this.#begin, this.#end);
  }

  /** Copies the chunk, which is a part of what was read at once. False: there is no room, and nothing was added. Amortised linear. */
  append(chunk: Uint8Array): boolean {
    if (this.#end + chunk.length > this.#bytes.length && !this.#grow(this.sizeBytes + chunk.length)) return false;
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
    return true;
  }

  /** Forgets the first bytes. */
  drop(sizeBytes: number): void {
    this.#begin += sizeBytes;
    if (this.#begin === this.#end) this.clear();
  }

  /** Forgets all, and gives the room back. */
  clear(): void {
    this.#room.giveBack(this.#bytes.length);
    this.#bytes = Buffer.alloc(0);
    this.#begin = 0;
    this.#end = 0;
  }

  #grow(neededBytes: number): boolean {
    const keptBytes = this.sizeBytes;
    // What comes in one chunk, as most messages do, gets what it needs; the rest an eighth more, for room is scarcer than copying.
    const sizeBytes = keptBytes === 0 ? neededBytes : Math.max(neededBytes, keptBytes + (keptBytes >> 3) + 64);
    // Both are there only until this verb is done.
    if (!this.#room.take(sizeBytes - this.#bytes.length)) return false;
    const grown = Buffer.allocUnsafeSlow(sizeBytes);
    grown.set(this.bytes, 0);
    this.#end = this.sizeBytes;
    this.#begin = 0;
    this.#bytes = grown;
    return true;
  }
}
