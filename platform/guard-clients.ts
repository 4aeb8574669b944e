import type { Server, TLSSocket } from "node:tls";
import { clientFault, type TlsMaterial } from "./tls-material.ts";

/**
 * Ends every connection whose client the material does not allow, before a protocol sees its first byte. Call it before other
 * listeners of `secureConnection` are added, or they run first. `onRefused` hears why.
 */
export function guardClients(
  server: Server,
  material: () => TlsMaterial,
  onRefused: (reason: string, remote: string | undefined) => void,
): void {
  server.prependListener("secureConnection", (socket: TLSSocket) => {
    const fault = clientFault(material(), socket);
    if (fault === undefined) return;
    onRefused(fault, socket.remoteAddress);
    socket.destroy();
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    onRefused(error.message, socket.remoteAddress);
    socket.destroy();
  });
}
