import { bitLength } from "./magnitude.ts";

/** Smallest and largest RSA modulus of Envoy's cryptographic library, in bits. BoringSSL: rsa_impl.cc.inc. */
const modulusBits = { least: 512, most: 16 * 1024 };

/** What BoringSSL has against a modulus (no leading zeros), in words. */
export function modulusFault(modulus: Uint8Array): string | undefined {
  const bits = bitLength(modulus);
  if (bits < modulusBits.least || bits > modulusBits.most) {
    return `a modulus of ${bits} bits, where ${modulusBits.least} to ${modulusBits.most} are taken`;
  }
  return modulus.at(-1)! % 2 === 1 ? undefined : "an even modulus";
}
