import { hash } from "node:crypto";
import type { TrustBundle } from "#ca/authorities/contract";
import type { Certificate } from "#ca/x509/contract";
import { svidFaults } from "#ca/x509/svid-faults";
import type { VerifiedSvid } from "#ca/x509/verify-svid";
import { quote } from "#identity/encoding/quote";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Caller } from "./contract.ts";
import { type MethodAnswer, refused, unavailable } from "./method.ts";
import { createRecent } from "./recent.ts";

/** See `verifySvid`. */
export type VerifySvid = (
  chain: readonly Uint8Array[],
  bundleOf: (trustDomain: string) => readonly Certificate[] | undefined,
  nowMillis: number,
) => VerifiedSvid;

/** What is revoked of a certificate that was verified; undefined: nothing; `unknown`: that cannot be told now. */
export type RevokedPart = "certificate" | "identity" | "unknown" | undefined;

/** Asked for every use of a certificate. Rejects for defects alone. */
export type IsRevoked = (leaf: {
  readonly spiffeId: string;
  readonly serialHex: string;
  /** SHA-256, hex. */
  readonly fingerprint: string;
}) => RevokedPart | Promise<RevokedPart>;

export interface ClientCertificateParts {
  readonly verifySvid: VerifySvid;
  /** The bundle in force. Its trust domain is the only one whose certificates are taken. */
  readonly bundle: () => TrustBundle;
  readonly isRevoked: IsRevoked;
}

type SvidCaller = Extract<Caller, { readonly method: "x509-svid" }>;

/** More certificates than this are no chain of ours: looking at them would be work for a stranger. */
const maxChainLength = 8;
/** An SVID has less than 1 KiB; one of another maker, with a chain of RSA-4096, not ten times as much. */
const maxChainBytes = 32 * 1024;

const cacheLimits = { maxEntries: 32_768, maxBytes: 32 * 1024 * 1024 };
/** Of a caller, its key and what is around them, beside the text of the identity. */
const entryBytes = 700;

/**
 * Proves a caller by its X.509-SVID, of our own trust domain and by its single URI alone: a DNS name or a subject never becomes an identity. The handshake has
 * shown that the client holds the key; nothing else of the handshake is believed, because TLS knows the anchors of all domains as one pool.
 *
 * PERF: a leaf that was found good under a bundle is not verified again within a minute, nor beyond the end of its chain, for agents that all connect anew.
 * Revocation is looked at each time.
 */
export function createClientCertificateMethod({ verifySvid, bundle, isRevoked }: ClientCertificateParts) {
  const recent = createRecent<SvidCaller>(cacheLimits);

  const verify = (chain: readonly Uint8Array[], nowMillis: number): SvidCaller | string => {
    const pinned = bundle();
    const fingerprint = hash("sha256", chain[0]!, "hex");
    const key = `${pinned.trustDomain} ${pinned.sequence} ${fingerprint}`;
    const known = recent.get(key, nowMillis);
    if (known !== undefined) return known;
    const bundleOf = (name: string) => (name === pinned.trustDomain ? pinned.anchors : undefined);
    const verified = verifySvid(chain, bundleOf, nowMillis);
    if (!verified.ok) return svidFaults[verified.reason];
    const { id, leaf, notAfterMillis } = verified;
    const fault = workloadFault(id, pinned.trustDomain);
    if (fault !== undefined) return fault;
    const serialHex = Buffer.from(leaf.serial).toString("hex");
    const caller: SvidCaller = { method: "x509-svid", id, fingerprint, serialHex };
    recent.set(key, caller, { nowMillis, endsMillis: notAfterMillis }, entryBytes + 2 * id.path.length);
    return caller;
  };

  return async (chain: readonly Uint8Array[], nowMillis: number): Promise<MethodAnswer> => {
    const fault = chainSizeFault(chain);
    if (fault !== undefined) return refused(fault);
    const caller = verify(chain, nowMillis);
    if (typeof caller === "string") return refused(caller);
    const { id, serialHex, fingerprint } = caller;
    return revokedAnswer(await isRevoked({ spiffeId: id.toString(), serialHex, fingerprint }), caller);
  };
}

/** The caller, unless something of its certificate is revoked, or that cannot be told. */
export function revokedAnswer(
  revoked: RevokedPart,
  caller: Extract<Caller, { readonly serialHex: string }>,
): MethodAnswer {
  if (revoked === undefined) return { ok: true, caller };
  if (revoked === "unknown") return unavailable("whether the certificate is revoked cannot be told now");
  const { id, serialHex } = caller;
  const what = revoked === "identity" ? `identity ${quote(id.toString())}` : `certificate ${serialHex}`;
  return refused(`the ${what} is revoked`);
}

/** INVARIANT: whatever the verifier thinks, only workloads of our own trust domain are callers. Undefined: it is one. */
export function workloadFault(id: SpiffeId, trustDomain: string): string | undefined {
  if (id.trustDomain !== trustDomain) return `${quote(id.toString())} is of another trust domain`;
  return id.path === "" ? `${quote(id.toString())} is a trust domain and no workload` : undefined;
}

/** Before anything is hashed or read: what keeps a chain from being looked at; undefined: nothing. */
export function chainSizeFault(chain: readonly Uint8Array[]): string | undefined {
  if (chain.length === 0) return "no certificate";
  if (chain.length > maxChainLength)
    return `a chain of ${chain.length} certificates, at most ${maxChainLength} are read`;
  let sizeBytes = 0;
  for (const der of chain) sizeBytes += der.length;
  return sizeBytes > maxChainBytes ? `a chain of ${sizeBytes} bytes, at most ${maxChainBytes} are read` : undefined;
}
