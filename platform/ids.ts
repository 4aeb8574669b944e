const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const counterLimit = 2 ** 30;

/** PERF: every two last characters of a counter, so that an id is put together of three texts. */
const pairs = Array.from({ length: 1024 }, (_, i) => encodeNumber(i, 2));

/** What ids are made from. `random` fills bytes that tell instances apart; it is asked once. */
export interface IdSource {
  nowMillis(): number;
  random(sizeBytes: number): Uint8Array;
}

/**
 * Makes ids of 26 characters that sort by the time of their making: 10 of time (milliseconds), 6 of a counter, 10 that are
 * random per instance. They have the form of a ULID. Ids name decisions; they are no secrets, so that nothing random is
 * drawn per id. Ids of one instance ascend strictly, also when the clock goes back.
 */
export function createIds(source: IdSource): () => string {
  const instance = encodeBytes(source.random(10));
  let millis = -1;
  let counter = 0;
  /** All but the counter's last two characters and the instance. */
  let front = "";
  const begin = () => {
    counter = 0;
    front = encodeNumber(millis, 10) + encodeNumber(0, 4);
  };
  return () => {
    const now = source.nowMillis();
    if (now > millis) {
      millis = now;
      begin();
    } else if (++counter === counterLimit) {
      // INVARIANT: ids ascend: a counter that is used up borrows the next millisecond.
      millis++;
      begin();
    } else if ((counter & 1023) === 0) {
      front = encodeNumber(millis, 10) + encodeNumber(counter >>> 10, 4);
    }
    return front + pairs[counter & 1023]! + instance;
  };
}

function encodeNumber(value: number, length: number): string {
  let out = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    out = alphabet.charAt(rest % 32) + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}

function encodeBytes(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += alphabet.charAt(byte % 32);
  return out;
}
