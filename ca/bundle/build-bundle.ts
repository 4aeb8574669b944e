import { createHash } from "node:crypto";
import type { TrustBundle } from "#ca/authorities/contract";
import type { Certificate } from "#ca/x509/contract";

/** The bundle of these anchors: each once, sorted by the SHA-256 of its DER. Not checked: the certificates. */
export function buildBundle(trustDomain: string, sequence: number, anchors: readonly Certificate[]): TrustBundle {
  const byHash = new Map(anchors.map((anchor) => [createHash("sha256").update(anchor.der).digest("hex"), anchor]));
  const sorted = [...byHash].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, anchor]) => anchor);
  return Object.freeze({ trustDomain, sequence, anchors: Object.freeze(sorted) });
}

/**
 * Names what the bundle holds: SHA-256 of the trust domain and the anchors, hex. Bundles with the same anchors have the same version, whatever their
 * sequence is; every rendering of a bundle carries this one.
 */
export function bundleVersion(bundle: TrustBundle): string {
  const hash = createHash("sha256").update(`${bundle.trustDomain}\0`);
  for (const anchor of bundle.anchors) hash.update(createHash("sha256").update(anchor.der).digest());
  return hash.digest("hex");
}
