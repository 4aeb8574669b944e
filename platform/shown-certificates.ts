import { connect } from "node:tls";
import type { Address } from "./address.ts";
import { readClientChain } from "./door/client-chain.ts";

/**
 * The certificates (DER, leaf first) that a TLS server shows to whoever connects, at most eight. Nothing of them is verified and nothing is told to the server: for those who know one of them by its
 * fingerprint. Rejects with the system's error, or when it takes too long.
 */
export function readShownCertificates(
  address: Address & { readonly kind: "tcp" },
  serverName: string | undefined,
  timeoutMillis: number,
): Promise<readonly Uint8Array[]> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const named = serverName === undefined || /^[0-9.]+$|:/.test(serverName) ? {} : { servername: serverName };
    const socket = connect({ host, port, ...named, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    socket.setTimeout(timeoutMillis, () => socket.destroy(new Error("the server does not answer in time")));
    socket.once("secureConnect", () => {
      resolve(readClientChain(socket).certificates);
      // Not destroyed: the server would see a handshake that was broken off, and warn of it.
      socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server ended the connection")));
  });
}
