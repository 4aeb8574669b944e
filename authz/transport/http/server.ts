import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server as PlainServer,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import fastify from "fastify";
import { trackSockets } from "#platform/sockets";
import { secureContextOptions, type TlsMaterial } from "#platform/tls-material";

/** How long a client may take, in milliseconds. Beyond it the request is answered 408. */
export interface Patience {
  readonly headersMillis: number;
  readonly requestMillis: number;
  /** How often connections are looked at. */
  readonly checkMillis: number;
}

/** Who answers what comes in: nothing is answered by anybody else. */
export interface Takers {
  /** Every request with a response object, whatever its method and target. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  readonly connect: (request: IncomingMessage, socket: Socket) => void;
  /** What the parser could not read. */
  readonly unreadable: (fault: Error & { readonly code?: string }, socket: Socket) => void;
}

/** A server whose life is the application's. */
export interface MountedServer {
  readonly server: PlainServer;
  /** Takes no new connections, finishes what runs, and cuts off what is left when the deadline aborts. Also for one that never listened. */
  close(deadline: AbortSignal): Promise<void>;
}

/** INVARIANT: what Node's server would answer or merge by itself, as far as it can be told not to. */
const fixedOptions: ServerOptions = {
  maxHeaderSize: 64 * 1024,
  // Envoy keeps idle connections of its pool for an hour; the one who closes first must not be us.
  keepAliveTimeout: 65 * 60 * 1000,
  noDelay: true,
  insecureHTTPParser: false,
  // RFC 9112 §3.2: a request without Host would be answered 400 by Node; the check decides instead.
  requireHostHeader: false,
  joinDuplicateHeaders: false,
};

/** TLS handshakes that take longer are ended. */
const handshakeTimeoutMillis = 10_000;

/**
 * Makes the server of an HTTP listener, mounted in a fastify application that is ready. It does not listen yet. INVARIANT: requests are
 * taken ahead of fastify's routing and body parsing, which never see one: they answer unknown methods, broken escapes and media types by
 * themselves, and Envoy relays whatever it is told as a denial.
 */
export async function mountServer(
  takers: Takers,
  patience: Patience,
  tls: TlsMaterial | undefined,
): Promise<MountedServer> {
  const server = createServer(patience, tls);
  server.maxHeadersCount = 0;
  server.on("request", takers.request);
  // Node would answer 417 to an expectation that it does not know.
  server.on("checkExpectation", takers.request);
  server.on("connect", takers.connect);
  const sockets = trackSockets(server);
  const app = fastify({ serverFactory: () => server, clientErrorHandler: takers.unreadable });
  let end = AbortSignal.abort();
  app.addHook("preClose", async () => {
    const drained = sockets.drain(end);
    server.closeIdleConnections();
    await drained;
  });
  await app.ready();
  return {
    server,
    async close(deadline) {
      end = deadline;
      await app.close();
    },
  };
}

function createServer({ headersMillis, requestMillis, checkMillis }: Patience, tls: TlsMaterial | undefined) {
  const options: ServerOptions = {
    ...fixedOptions,
    headersTimeout: headersMillis,
    requestTimeout: requestMillis,
    connectionsCheckingInterval: checkMillis,
  };
  if (tls === undefined) return createPlainServer(options);
  return createTlsServer({
    ...options,
    ...secureContextOptions(tls),
    ALPNProtocols: ["http/1.1"],
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: tls.ca !== undefined,
    handshakeTimeout: handshakeTimeoutMillis,
  }) as PlainServer;
}
