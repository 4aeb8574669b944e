import type { ByteString } from "#policy-compiler/ruleset/model";
import type { ConditionFault } from "./contract.ts";
import { limits } from "./limits.ts";

/** An attribute that an expression cannot be given. */
export class Unfit {
  readonly reason: "unknown" | "too-large" | "not-utf-8" | "not-a-value";

  constructor(reason: Unfit["reason"]) {
    this.reason = reason;
  }

  /** What a condition that reads the attribute comes to. */
  fault(attribute: string): ConditionFault {
    if (this.reason === "unknown") return { code: "condition/unknown-attribute", attribute };
    if (this.reason === "too-large") return { code: "condition/too-large", attribute };
    return { code: "condition/error", library: this.reason.replaceAll("-", "_") };
  }
}

/** The request did not bring it. */
export const unknownValue: Unfit = new Unfit("unknown");
/** It is larger than conditions may look at. */
export const tooLarge: Unfit = new Unfit("too-large");
const notUtf8: Unfit = new Unfit("not-utf-8");
const notAValue: Unfit = new Unfit("not-a-value");

/** What the library computes with. */
export type CelValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | Date
  | readonly CelValue[]
  | ReadonlyMap<string, CelValue>;

/**
 * The text of a byte string. Bytes that are no UTF-8 have no text: an expression that compared a replacement could be led to take two
 * different values for one.
 */
export function readText(bytes: ByteString): string | Unfit {
  if (typeof bytes !== "string") return notAValue;
  if (bytes.length > limits.attributeText) return tooLarge;
  return isAscii(bytes) ? bytes : decodeUtf8(bytes);
}

function isAscii(bytes: ByteString): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes.charCodeAt(i) > 0x7f) return false;
  return true;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: ByteString): string | Unfit {
  const raw = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    if (byte > 0xff) return notAValue;
    raw[i] = byte;
  }
  try {
    return decoder.decode(raw);
  } catch {
    // The one way in which a decoder tells that bytes are no UTF-8.
    return notUtf8;
  }
}

/** What one attribute may still take of its bounds. */
export class Allowance {
  #bytes: number = limits.attributeTotal;
  #nodes: number = limits.attributeNodes;

  text(bytes: ByteString): string | Unfit {
    const text = readText(bytes);
    if (text instanceof Unfit) return text;
    this.#bytes -= bytes.length;
    this.#nodes--;
    return this.#bytes < 0 || this.#nodes < 0 ? tooLarge : text;
  }

  texts(lines: readonly ByteString[]): readonly string[] | Unfit {
    if (lines.length > limits.attributeItems) return tooLarge;
    const out: string[] = [];
    for (const line of lines) {
      const text = this.text(line);
      if (text instanceof Unfit) return text;
      out.push(text);
    }
    return out;
  }

  /**
   * A value of JSON with byte strings for text, as maps and lists. Maps, and not objects: a member `constructor` or `__proto__` is one like
   * any other there, and nothing is inherited.
   */
  json(value: unknown, depth: number): CelValue | Unfit {
    if (typeof value === "string") return this.text(value);
    if (--this.#nodes < 0) return tooLarge;
    if (value === null || typeof value === "boolean" || typeof value === "number") return value;
    if (typeof value !== "object") return notAValue;
    if (depth <= 0) return tooLarge;
    return Array.isArray(value) ? this.#list(value, depth - 1) : this.#map(value, depth - 1);
  }

  #list(items: readonly unknown[], depth: number): readonly CelValue[] | Unfit {
    if (items.length > limits.attributeItems) return tooLarge;
    const out: CelValue[] = [];
    for (const item of items) {
      const value = this.json(item, depth);
      if (value instanceof Unfit) return value;
      out.push(value);
    }
    return out;
  }

  #map(members: object, depth: number): ReadonlyMap<string, CelValue> | Unfit {
    const prototype: unknown = Object.getPrototypeOf(members);
    if (prototype !== null && prototype !== Object.prototype) return notAValue;
    const names = Object.keys(members);
    if (names.length > limits.attributeItems) return tooLarge;
    const out = new Map<string, CelValue>();
    for (const name of names) {
      const key = this.text(name);
      if (key instanceof Unfit) return key;
      const value = this.json((members as Readonly<Record<string, unknown>>)[name], depth);
      if (value instanceof Unfit) return value;
      out.set(key, value);
    }
    return out;
  }
}
