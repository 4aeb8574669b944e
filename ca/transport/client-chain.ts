import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** More certificates than any chain of ours has. What a client sends beyond is left out. */
export const chainLimit = 8;

/**
 * The certificates that a client sent in the handshake, DER, in its order: its own first, whose key it proved to have. Empty: it sent none. Nothing
 * of them is verified. To be asked right after the handshake. Linear: they are taken one after the other as they were sent (and not, as `getPeerCertificate(true)` does, by
 * looking for each one's issuer, which goes round in circles where a certificate signs itself); no key of them is looked at.
 */
export function readClientChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < chainLimit) {
    chain.push(new Uint8Array(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
