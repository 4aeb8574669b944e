import type { TrustBundle } from "#ca/authorities/contract";
import { writePem } from "#ca/x509/pem";

/** All anchors as one PEM text: `ROOTCA`, the last element of Istio's chain, `root-cert.pem`. Empty for a bundle without anchors. */
export function renderBundlePem(bundle: TrustBundle): string {
  return bundle.anchors.map(({ der }) => writePem("CERTIFICATE", der)).join("");
}

/** All anchors as DER, one behind the other without anything between: the bundles of the SPIFFE Workload API (§5.2.1). */
export function renderBundleDer(bundle: TrustBundle): Uint8Array {
  return new Uint8Array(Buffer.concat(bundle.anchors.map(({ der }) => der)));
}
