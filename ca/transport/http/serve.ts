import type { Server, Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import { messageOf } from "#platform/coded-error";
import { type DoorConnection, watchConnections } from "#platform/door/connections";
import { type Door, type DoorStart, doorContextOptions, requireTlsForOthers } from "#platform/door/door";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import { createHttpApp } from "./app.ts";
import type { HttpParts } from "./contract.ts";

/** Only the owner of the process may open the socket: who can is the operator. */
const socketMode = 0o600;

/**
 * Starts the JSON door: over TLS, in plain text on an address of this machine, or on a Unix socket (mode 0600), where every request is an operator's. Fails
 * with `listen/failed` or `door/plain-text`.
 */
export async function serveHttp(parts: HttpParts, start: DoorStart): Promise<Door> {
  requireTlsForOthers(start);
  const connections = new WeakMap<Socket, DoorConnection>();
  const app = await createHttpApp(parts, start, (socket) => {
    const connection = connections.get(socket);
    if (connection === undefined) throw new Error("a request came over no known connection");
    return connection;
  });
  const server = app.server as Server;
  watchConnections(server, start, (socket, connection) => connections.set(socket, connection));
  const sockets = trackSockets(server);
  const address = await listen(server, start.address, socketMode);
  server.on("error", (fault) => start.log.error({ door: start.name, fault: messageOf(fault) }, "door failed"));
  return {
    address,
    updateTls(next) {
      (server as TlsServer).setSecureContext(doorContextOptions(next));
    },
    async stop(deadline) {
      const drained = sockets.drain(deadline);
      app.server.closeIdleConnections();
      await drained;
      await app.close();
    },
  };
}
