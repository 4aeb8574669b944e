import type { ServerHttp2Session } from "node:http2";
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { messageOf } from "#platform/coded-error";
import { type DoorConnection, watchConnections } from "#platform/door/connections";
import {
  type Door,
  type DoorStart,
  doorContextOptions,
  doorTlsOptions,
  ownerSocketMode,
  requireTlsForOthers,
} from "#platform/door/door";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import { systemTimers } from "#platform/timers";
import { createCallRoom } from "./call-room.ts";
import { grpcCodes } from "./codes.ts";
import type { GrpcMethods } from "./contract.ts";
import { createIdleSessions } from "./idle-sessions.ts";
import { closeSession, keepAlive, openSession, type SessionStart } from "./session.ts";

/**
 * Starts a door that serves gRPC. HTTP/2 is Node's, the few bytes that gRPC adds are written here: a call then has its connection by
 * nothing but public means, and no status is sent that an agent takes for the end of its patience (`refusal-status.ts`). PERF: what a call takes is the row
 * `transport` of `bench/ca.ts`. Fails with `listen/failed` or `door/plain-text`.
 */
export async function serveGrpc(start: DoorStart, methods: GrpcMethods): Promise<Door> {
  requireTlsForOthers(start);
  const { tls, limits, log, name, timers = systemTimers } = start;
  const server: Server =
    tls === undefined ? createPlainServer({ noDelay: true }) : createTlsServer(doorTlsOptions(tls, limits, "h2"));
  const sessions = new Set<ServerHttp2Session>();
  const room = createCallRoom(limits.callBytes);
  const idle = createIdleSessions(limits.idleConnections);
  const openStreams: SessionStart["openStreams"] = new Set();
  const sessionStart = { methods, requestMillis: limits.requestMillis, timers, room, log, idle, openStreams };
  let stopping = false;
  const accept = (socket: Socket, connection: DoorConnection) => {
    // A client that names no protocol is let through by TLS; it would not speak ours.
    if (tls !== undefined && (socket as TLSSocket).alpnProtocol !== "h2") {
      log.warn({ door: name, remote: connection.remoteAddress, reason: "no HTTP/2 (ALPN)" }, "connection refused");
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const session = openSession(socket, connection, sessionStart);
    sessions.add(session);
    keepAlive(session, limits.keepaliveMillis, timers);
    session.once("close", () => sessions.delete(session));
    if (stopping) closeSession(session);
  };
  watchConnections(server, start, accept);
  const sockets = trackSockets(server);
  const address = await listen(server, start.address, start.socketMode ?? ownerSocketMode);
  server.on("error", (fault) => log.error({ door: name, fault: messageOf(fault) }, "door failed"));
  return {
    address,
    updateTls(next) {
      (server as TlsServer).setSecureContext(doorContextOptions(next));
    },
    async stop(deadline) {
      stopping = true;
      const drained = sockets.drain(deadline);
      for (const session of sessions) closeSession(session);
      // A stream has no end of its own: its client goes on elsewhere.
      for (const end of openStreams) end({ code: grpcCodes.unavailable, message: "the server stops" });
      await drained;
    },
  };
}
