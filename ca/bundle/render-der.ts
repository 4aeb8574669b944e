import type { TrustBundle } from "#ca/authorities/contract";

/** All anchors as DER, one behind the other without anything between: the bundles of the SPIFFE Workload API (§5.2.1). */
export function renderBundleDer(bundle: TrustBundle): Uint8Array {
  return new Uint8Array(Buffer.concat(bundle.anchors.map(({ der }) => der)));
}
