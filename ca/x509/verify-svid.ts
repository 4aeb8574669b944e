import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import type { Certificate } from "./contract.ts";
import { readCertificate } from "./read-certificate.ts";
import type { SvidFault } from "./svid-faults.ts";
import { verifyChain } from "./verify-chain.ts";
import { type KnownExtensions, readKnownExtensions } from "./verify-extensions.ts";

export type VerifiedSvid =
  | {
      readonly ok: true;
      readonly id: SpiffeId;
      readonly leaf: Certificate;
      /** When the first certificate of the path ends: whoever keeps the verdict keeps it no longer. */
      readonly notAfterMillis: number;
    }
  /** See `svidFaults`. */
  | { readonly ok: false; readonly reason: SvidFault };

/** What the leaf is used for: `client` when a caller presents it to a server of ours. */
export type SvidPurpose = "client" | "server";

const purposes: Readonly<Record<SvidPurpose, string>> = { client: "1.3.6.1.5.5.7.3.2", server: "1.3.6.1.5.5.7.3.1" };

const mostCertificates = 8;
const mostBytes = 64 * 1024;

/**
 * Is this chain (DER, leaf first, the rest in any order) an X509-SVID now (X509-SVID §5)? Its path must end in an anchor of the bundle of the trust domain
 * that the leaf itself names: bundles are never pooled, so that no domain's authority can speak for another. See `verifyChain` for the path; of the
 * leaf: no CA, a key usage with digitalSignature and without keyCertSign and cRLSign, the purpose in its extended key usage if it has one
 * (DIVERGENCE: anyExtendedKeyUsage does not count, for an SVID names both purposes), and exactly one URI, a SPIFFE ID with a path, duplicates counted. That the peer holds
 * the leaf's key is for the handshake to prove. Says nothing of revocation and of policy, and keeps nothing. Never throws unless `bundleOf` does. At
 * most eight certificates of 64 KiB in all, and 32 verifications of signatures; about 0.2 ms for a leaf and an issuing authority.
 */
export function verifySvid(
  chain: readonly Uint8Array[],
  bundleOf: (trustDomain: string) => readonly Certificate[] | undefined,
  nowMillis: number,
  purpose: SvidPurpose = "client",
): VerifiedSvid {
  const read = readChain(chain);
  if (typeof read === "string") return refused(read);
  const [leaf, ...presented] = read;
  if (leaf === undefined) return refused("chain-empty");
  if (leaf.version !== 3) return refused("leaf-version");
  const extensions = readKnownExtensions(leaf);
  if (extensions === undefined) return refused("leaf-extensions");
  const fault = leafFault(extensions, purposes[purpose]);
  if (fault !== undefined) return refused(fault);
  const id = spiffeIdOf(extensions);
  if (typeof id === "string") return refused(id);
  if (!(nowMillis >= leaf.notBefore.millis)) return refused("leaf-not-yet-valid");
  if (!(nowMillis <= leaf.notAfter.millis)) return refused("leaf-expired");
  const anchors = bundleOf(id.trustDomain) ?? [];
  if (anchors.length === 0) return refused("trust-domain-unknown");
  const chained = verifyChain({
    leaf: { certificate: leaf, extensions },
    presented,
    anchors,
    nowMillis,
    purpose: purposes[purpose],
  });
  return chained.ok ? { ok: true, id, leaf, notAfterMillis: chained.notAfterMillis } : refused(chained.fault);
}

function refused(reason: SvidFault): VerifiedSvid {
  return { ok: false, reason };
}

function readChain(chain: readonly Uint8Array[]): readonly Certificate[] | SvidFault {
  if (chain.length > mostCertificates) return "chain-too-long";
  if (chain.reduce((sum, { length }) => sum + length, 0) > mostBytes) return "chain-too-large";
  const certificates: Certificate[] = [];
  for (const der of chain) {
    const read = readCertificate(der);
    if (!read.ok) return "certificate-unreadable";
    certificates.push(read.value);
  }
  return certificates;
}

function leafFault(extensions: KnownExtensions, purpose: string): SvidFault | undefined {
  const { basicConstraints, keyUsage } = extensions;
  if (extensions.nameConstraints !== undefined) return "leaf-extensions"; // RFC 5280 §4.2.1.10: in CAs alone.
  if (basicConstraints?.ca === true) return "leaf-is-authority";
  if (keyUsage?.names.some((name) => name === "keyCertSign" || name === "cRLSign")) return "leaf-is-authority";
  if (keyUsage?.names.includes("digitalSignature") !== true) return "leaf-key-usage";
  return extensions.purposes?.includes(purpose) === false ? "leaf-purpose" : undefined;
}

function spiffeIdOf({ names }: KnownExtensions): SpiffeId | SvidFault {
  const [uri, ...more] = names.flatMap((name) => (name.kind === "uri" ? [name.value] : []));
  if (uri === undefined) return "leaf-no-uri";
  if (more.length > 0) return "leaf-several-uris";
  const parsed = parseSpiffeId(uri);
  if (!parsed.ok) return "leaf-not-spiffe-id";
  return parsed.id.path === "" ? "leaf-without-path" : parsed.id;
}
