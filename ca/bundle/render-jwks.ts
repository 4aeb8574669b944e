import type { TrustBundle } from "#ca/authorities/contract";
import { type PublicKeyJwk, publicKeyJwk } from "./public-key-jwk.ts";

/** One anchor: `use` and `x5c` with exactly one certificate, and no `kid` (X509-SVID §6.1, SPIFFE Trust Domain and Bundle §4.2). */
export type AnchorJwk = PublicKeyJwk & { readonly use: "x509-svid"; readonly x5c: readonly [string] };

/** A SPIFFE bundle document (SPIFFE Trust Domain and Bundle §4). */
export interface BundleDocument {
  readonly keys: readonly AnchorJwk[];
  readonly spiffe_sequence: number;
  readonly spiffe_refresh_hint?: number;
}

/** The bundle as a SPIFFE bundle document, for federation. Its consumers are asked to come again after `refreshHintSeconds`. */
export function renderBundleJwks(bundle: TrustBundle, refreshHintSeconds: number): string {
  return rendered({ ...documentOf(bundle), spiffe_refresh_hint: refreshHintSeconds });
}

/** The bundles by trust domain, as Envoy's SPIFFE validator reads them from a file (`trust_bundles`, Envoy 1.34 and newer). No two of one trust domain. */
export function renderBundleMap(bundles: readonly TrustBundle[]): string {
  const domains = new Map(bundles.map((bundle) => [bundle.trustDomain, documentOf(bundle)]));
  if (domains.size !== bundles.length) throw new Error("two bundles of one trust domain");
  return rendered({ trust_domains: Object.fromEntries([...domains].sort(([a], [b]) => (a < b ? -1 : 1))) });
}

function documentOf(bundle: TrustBundle): BundleDocument {
  const keys = bundle.anchors.map((anchor): AnchorJwk => {
    const key = publicKeyJwk(anchor.spkiDer);
    if (key === undefined) throw new Error("an anchor has a key of a shape that is not taken");
    // X.509 certificates stand in `x5c` in base64, not base64url (RFC 7517 §4.7).
    return { use: "x509-svid", ...key, x5c: [Buffer.from(anchor.der).toString("base64")] };
  });
  return { keys, spiffe_sequence: bundle.sequence };
}

function rendered(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
