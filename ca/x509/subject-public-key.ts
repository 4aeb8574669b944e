import { hash } from "node:crypto";
import type { KeyKind } from "./contract.ts";

/**
 * A public key in one of the five byte shapes that are taken, not imported yet. INVARIANT: no SubjectPublicKeyInfo of another shape ever reaches
 * `node:crypto`: some make it end the process (an EC point at infinity), others are taken although nobody should (explicit curves, RSA with an
 * even exponent).
 */
export class SubjectPublicKey {
  /** Only `of` makes one: an object that merely looks like it is none. */
  readonly #shaped = true;
  readonly kind: KeyKind;
  /** The whole SubjectPublicKeyInfo, as it came. */
  readonly spkiDer: Uint8Array;
  #hash: string | undefined;

  private constructor(kind: KeyKind, spkiDer: Uint8Array) {
    this.kind = kind;
    this.spkiDer = spkiDer;
  }

  /** SHA-256 of `spkiDer`, hex. */
  get hash(): string {
    this.#hash ??= hash("sha256", this.spkiDer, "hex");
    return this.#hash;
  }

  static is(value: object): value is SubjectPublicKey {
    return #shaped in value && value.#shaped;
  }

  /** Undefined: not one of the shapes. Not checked: that an EC point is on its curve (the import does), and how good an RSA modulus is. */
  static of(spkiDer: Uint8Array): SubjectPublicKey | undefined {
    const shape = shapes.find(({ prefix, sizeBytes }) => spkiDer.length === sizeBytes && startsWith(spkiDer, prefix));
    if (shape === undefined) return undefined;
    if (shape.kind.startsWith("RSA") && !isRsaShape(spkiDer, shape.prefix.length)) return undefined;
    return new SubjectPublicKey(shape.kind, spkiDer);
  }
}

interface Shape {
  readonly kind: KeyKind;
  readonly prefix: Uint8Array;
  readonly sizeBytes: number;
}

/** RFC 5480 §2.1.1 and §2.2 (named curve, uncompressed point), RFC 3279 §2.3.1 (RSA). What follows a prefix has one length. */
const shapes: readonly Shape[] = [
  shape("P-256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004", 91),
  shape("P-384", "3076301006072a8648ce3d020106052b8104002203620004", 120),
  shape("RSA-2048", "30820122300d06092a864886f70d01010105000382010f003082010a0282010100", 294),
  shape("RSA-3072", "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100", 422),
  shape("RSA-4096", "30820222300d06092a864886f70d01010105000382020f003082020a0282020100", 550),
];

/** INTEGER 65537. */
const exponent = new Uint8Array([0x02, 0x03, 0x01, 0x00, 0x01]);

function shape(kind: KeyKind, prefixHex: string, sizeBytes: number): Shape {
  return { kind, prefix: new Uint8Array(Buffer.from(prefixHex, "hex")), sizeBytes };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/** The modulus has its top bit set, is odd, and the exponent is 65537. */
function isRsaShape(spkiDer: Uint8Array, modulusStart: number): boolean {
  const modulusEnd = spkiDer.length - exponent.length;
  if ((spkiDer[modulusStart]! & 0x80) === 0 || (spkiDer[modulusEnd - 1]! & 1) === 0) return false;
  return exponent.every((byte, i) => spkiDer[modulusEnd + i] === byte);
}
