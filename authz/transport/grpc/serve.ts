import type { ServerHttp2Session } from "node:http2";
import { createServer as createPlainServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { GrpcCheck } from "#authz/check/contract";
import { messageOf } from "#platform/coded-error";
import type { CallStart } from "#platform/grpc/call";
import { createCallRoom } from "#platform/grpc/call-room";
import { grpcCodes } from "#platform/grpc/codes";
import { guardClients } from "#platform/guard-clients";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import { systemTimers } from "#platform/timers";
import { secureContextOptions, type TlsMaterial } from "#platform/tls-material";
import type { Listener, ListenerStart } from "../listener.ts";
import { createHealthMethods, type Health } from "./health.ts";
import { createReflectionMethods } from "./reflection.ts";
import { openCheckSession } from "./session.ts";

export interface GrpcListenerStart extends ListenerStart {
  readonly check: GrpcCheck;
  readonly health: Health;
}

/** What is kept of calls that are no checks until they are answered, of all connections. */
const otherCallBytes = 16 * 1024 * 1024;
/** What is kept of checks that come in several pieces, of all connections: thousands of requests with a body of 64 KiB, or sixteen of the largest. */
const checkBytes = 512 * 1024 * 1024;

/** HTTP/2 handshakes over TLS that take longer are ended. */
const handshakeTimeoutMillis = 10_000;

/**
 * Starts a gRPC listener. Messages pass as bytes: decoding them is the check's work. HTTP/2 is Node's, and what gRPC adds for a check is written here. PERF: of a
 * check with grpc-js's server a third of the time was that server's (`bench/grpc.ts`).
 */
export async function serveGrpc(start: GrpcListenerStart): Promise<Listener> {
  let { settings, tls } = start;
  const sessions = new Set<ServerHttp2Session>();
  const health = createHealthMethods(start.health);
  const others: CallStart = {
    methods: { unary: health.unary, streams: new Map([...health.streams, ...createReflectionMethods(start.log)]) },
    requestMillis: 15_000,
    timers: systemTimers,
    room: createCallRoom(otherCallBytes),
    log: start.log,
    openStreams: new Set(),
  };
  const room = createCallRoom(checkBytes);
  let stopping = false;
  const accept = (socket: Socket) => {
    if (socket.destroyed) return;
    const session = openCheckSession(socket, start, () => settings, others, room);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    if (stopping) session.close();
  };
  const server = tls === undefined ? createPlainServer({ noDelay: true }, accept) : secureServer(tls);
  if (tls !== undefined) {
    guardClients(
      server as TlsServer,
      () => tls!,
      (reason, remote) => start.log.warn({ listener: settings.name, remote, reason }, "client refused"),
    );
    server.on("secureConnection", accept);
  }
  const sockets = trackSockets(server);
  const address = await listen(server, start.address, start.unixMode);
  server.on("error", (error) =>
    start.log.error({ listener: settings.name, fault: messageOf(error) }, "listener failed"),
  );

  return {
    name: settings.name,
    address,
    update(nextSettings, nextTls) {
      settings = nextSettings;
      if (tls === undefined || nextTls === undefined) return;
      (server as TlsServer).setSecureContext(secureContextOptions(nextTls));
      tls = nextTls;
    },
    announceEnd() {},
    async stop(deadline) {
      stopping = true;
      const drained = sockets.drain(deadline);
      // GOAWAY: running streams finish, the client opens no new ones here.
      for (const session of sessions) session.close();
      for (const end of others.openStreams) end({ code: grpcCodes.unavailable, message: "the server stops" });
      await drained;
    },
  };
}

function secureServer(tls: TlsMaterial): NetServer {
  return createTlsServer({
    ...secureContextOptions(tls),
    ALPNProtocols: ["h2"],
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: tls.ca !== undefined,
    handshakeTimeout: handshakeTimeoutMillis,
    noDelay: true,
  });
}
