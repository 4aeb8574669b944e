import type { Server, Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import { messageOf } from "#platform/coded-error";
import { type DoorConnection, watchConnections } from "#platform/door/connections";
import {
  type Door,
  type DoorStart,
  doorContextOptions,
  ownerSocketMode,
  requireTlsForOthers,
} from "#platform/door/door";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import { createHttpApp } from "./app.ts";
import type { HttpParts } from "./contract.ts";

/**
 * Starts the JSON door: over TLS, in plain text on an address of this machine, or on a Unix socket, where every request is an operator's: who can open it is one. Fails
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
  const address = await listen(server, start.address, start.socketMode ?? ownerSocketMode);
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
