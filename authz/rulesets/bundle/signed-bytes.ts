/** No other signature of Garita, and no later format of bundles, is over bytes that begin so. */
const domain = Buffer.from("garita policy bundle 1\0");

/** What the signature of a bundle is over: the domain, then the line of its manifest, which has the digest of the rules. */
export function signedBytes(manifest: Uint8Array): Uint8Array {
  return Buffer.concat([domain, manifest]);
}
