import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** More certificates than any chain of ours has. What a client sends beyond is left out. */
export const chainLimit = 8;

export interface ClientChain {
  /** DER, in the client's order: its own first, whose key it proved to have. Empty: it sent none. */
  readonly certificates: readonly Uint8Array[];
  /** Of all that it sent, those that are left out too. */
  readonly sizeBytes: number;
}

/**
 * The certificates that a client sent in the handshake. Nothing of them is verified. To be asked once, right after the handshake: Node does not have them a second time.
 * Linear: they are taken one after the other as they were sent (and not, as `getPeerCertificate(true)` does, by
 * looking for each one's issuer, which goes round in circles where a certificate signs itself); no key of them is looked at.
 */
export function readClientChain(socket: TLSSocket): ClientChain {
  const certificates: Uint8Array[] = [];
  let sizeBytes = 0;
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (certificate !== undefined) {
    const { raw } = certificate;
    sizeBytes += raw.length;
    if (certificates.length < chainLimit) certificates.push(new Uint8Array(raw));
    certificate = certificate.issuerCertificate;
  }
  return { certificates, sizeBytes };
}
