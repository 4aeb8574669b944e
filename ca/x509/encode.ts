import asn1 from "node-forge/lib/asn1.js";

/**
 * The DER of one element, its identifier byte given whole and its content as bytes in a string of one character each (node-forge's form). What is already DER
 * goes in as content unchanged: names and keys are copied, never encoded anew. Content of an INTEGER must be minimal already.
 */
export function element(tag: number, content: string): string {
  return asn1.toDer(asn1.create(0, tag, false, content)).getBytes();
}

/** The DER of an object identifier. */
export function oidElement(dotted: string): string {
  return element(0x06, asn1.oidToDer(dotted).getBytes());
}

/** The DER of a text under a tag, as UTF-8. */
export function textElement(tag: number, text: string): string {
  return element(tag, Buffer.from(text, "utf8").toString("latin1"));
}

/** The bytes of a string of one character each. */
export function bytesOf(latin1: string): Uint8Array {
  return new Uint8Array(Buffer.from(latin1, "latin1"));
}
