import { hash } from "node:crypto";
import { readCertificate } from "#ca/x509/read-certificate";
import { svidFaults } from "#ca/x509/svid-faults";
import { type ClientCertificateParts, chainSizeFault, revokedAnswer, workloadFault } from "./client-certificate.ts";
import { type MethodAnswer, refused } from "./method.ts";

export interface EndedCertificateParts extends ClientCertificateParts {
  /** How long after its end a certificate may still be renewed; 0: not at all. */
  readonly graceSeconds: () => number;
}

/**
 * Proves a caller by an X.509-SVID that has ended, within the grace of the authority, for a renewal and nothing else. INVARIANT: apart from its end everything is as for
 * one that is valid: the chain verified, as of that end, against the bundle in force now, the trust domain, the revocations; and the key that may be certified is its own
 * (`decideGrant` holds to it). Undefined: the certificate has not ended, or there is no grace; then this is no credential at all. Nothing is remembered: it is asked seldom.
 */
export function createEndedCertificateMethod({ verifySvid, bundle, isRevoked, graceSeconds }: EndedCertificateParts) {
  return async (chain: readonly Uint8Array[], nowMillis: number): Promise<MethodAnswer | undefined> => {
    const graceMillis = graceSeconds() * 1000;
    if (graceMillis <= 0 || chainSizeFault(chain) !== undefined) return undefined;
    const read = readCertificate(chain[0]!);
    if (!read.ok || !(nowMillis > read.value.notAfter.millis)) return undefined;
    const endMillis = read.value.notAfter.millis;
    if (nowMillis > endMillis + graceMillis)
      return refused("the certificate has ended, and the grace for its renewal too");
    const { trustDomain, anchors } = bundle();
    const verified = verifySvid(chain, (name) => (name === trustDomain ? anchors : undefined), endMillis);
    if (!verified.ok) return refused(svidFaults[verified.reason]);
    const { id, leaf } = verified;
    const fault = workloadFault(id, trustDomain);
    if (fault !== undefined) return refused(fault);
    const serialHex = Buffer.from(leaf.serial).toString("hex");
    const fingerprint = hash("sha256", leaf.der, "hex");
    const keyHash = hash("sha256", leaf.spkiDer, "hex");
    const caller = { method: "ended-x509-svid", id, fingerprint, serialHex, keyHash } as const;
    return revokedAnswer(await isRevoked({ spiffeId: id.toString(), serialHex, fingerprint }), caller);
  };
}
