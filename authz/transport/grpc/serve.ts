import { createServer as createPlainServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { type Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { CallMetadata, CheckOutcome, GrpcCheck, ListenerSettings } from "#authz/check/contract";
import { messageOf } from "#platform/coded-error";
import { guardClients } from "#platform/guard-clients";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import { secureContextOptions, type TlsMaterial } from "#platform/tls-material";
import { decisionMillis } from "../decision-time.ts";
import { type Listener, type ListenerStart, receiveLimitBytes, refusalRecord } from "../listener.ts";
import { addHealth, type Health } from "./health.ts";
import { lastResortDenial } from "./last-resort-denial.ts";
import { addReflection } from "./reflection.ts";

/** The full name of the one service that this transport is about. */
const authorizationService = "envoy.service.auth.v3.Authorization";

export interface GrpcListenerStart extends ListenerStart {
  readonly check: GrpcCheck;
  readonly health: Health;
}

/** HTTP/2 handshakes over TLS that take longer are ended. */
const handshakeTimeoutMillis = 10_000;

/**
 * Starts a gRPC listener. Messages pass as bytes: decoding them is the check's work. Connections are accepted here and
 * handed to grpc-js, so that certificates can be exchanged while it runs and a client is looked at before its first call.
 */
export async function serveGrpc(start: GrpcListenerStart): Promise<Listener> {
  let { settings, tls } = start;
  const grpc = new Server({
    "grpc.max_receive_message_length": receiveLimitBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    "grpc.max_concurrent_streams": 1000,
    // A peer that vanished without a word is noticed, its streams are given back.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
  });
  letResetsPass(grpc);
  grpc.addService(authorizationDefinition, {
    Check: (call: ServerUnaryCall<Buffer, Uint8Array>, done: sendUnaryData<Uint8Array>) =>
      answer(start, settings, call, done),
  });
  addHealth(grpc, start.health);
  addReflection(grpc, start.log);

  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const accept = (socket: Socket) => {
    if (!socket.destroyed) injector.injectConnection(socket);
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
      const drained = sockets.drain(deadline);
      // GOAWAY: running streams finish, the client opens no new ones here. The deadline is ours, not grpc-js's.
      injector.drain(2 ** 31 - 1);
      await drained;
      injector.destroy();
      grpc.forceShutdown();
    },
  };
}

/** Streams of one connection that may be reset at once and per second: as many as the option can say. */
const resetLimit = 0xffff_ffff;

/**
 * Each request that a client of Envoy gives up is a stream that Envoy resets here. By default Node's HTTP/2 takes 1,000 of them, then 33 a
 * second, for an attack, and ends the connection: every other check on it would be a failed call, which the proxy's fail-open lets
 * pass. One client could do that to all. grpc-js has no option for it; what it hands to `http2.createServer` is its own field.
 */
function letResetsPass(grpc: Server): void {
  const options: unknown = Reflect.get(grpc, "commonServerOptions");
  if (typeof options !== "object" || options === null)
    throw new Error("this version of grpc-js keeps its HTTP/2 options elsewhere");
  Object.assign(options, { streamResetBurst: resetLimit, streamResetRate: resetLimit });
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

/** Bytes in, bytes out. */
const asBytes = (bytes: Buffer): Buffer => bytes;
const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const authorizationDefinition = {
  Check: {
    path: `/${authorizationService}/Check`,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBuffer,
    requestDeserialize: asBytes,
    responseSerialize: toBuffer,
    responseDeserialize: asBytes,
  },
} as const;

/**
 * INVARIANT: `done` is called exactly once and never with an error. Whatever a check does, Envoy gets a CheckResponse, and without
 * a decision to allow that response denies.
 */
function answer(
  start: GrpcListenerStart,
  settings: ListenerSettings,
  call: ServerUnaryCall<Buffer, Uint8Array>,
  done: sendUnaryData<Uint8Array>,
): void {
  const begun = start.monotonicMillis();
  let outcome: CheckOutcome | Promise<CheckOutcome>;
  try {
    outcome = start.check(call.request, new GrpcCallMetadata(call.metadata), settings, () =>
      remainingMillis(call, settings),
    );
  } catch (defect) {
    outcome = defectOutcome(start, settings, defect);
  }
  if (!(outcome instanceof Promise)) {
    send(start, outcome, begun, done);
    return;
  }
  const limit = new Promise<CheckOutcome>((resolve) => {
    const timer = setTimeout(() => resolve(deadlineOutcome(settings)), remainingMillis(call, settings));
    timer.unref();
    const settled = () => clearTimeout(timer);
    (outcome as Promise<CheckOutcome>).then(settled, settled);
  });
  Promise.race([outcome, limit]).then(
    (first) => send(start, first, begun, done),
    (defect: unknown) => send(start, defectOutcome(start, settings, defect), begun, done),
  );
}

function send(start: GrpcListenerStart, outcome: CheckOutcome, begun: number, done: sendUnaryData<Uint8Array>): void {
  done(null, outcome.response);
  try {
    start.observe(outcome.record, start.monotonicMillis() - begun);
  } catch (defect) {
    start.log.error({ fault: messageOf(defect) }, "a decision could not be recorded");
  }
}

function defectOutcome(start: GrpcListenerStart, settings: ListenerSettings, defect: unknown): CheckOutcome {
  start.log.error({ err: defect, listener: settings.name }, "a check failed, the request is denied");
  return { response: lastResortDenial, record: refusalRecord(settings, "internal/defect", 403, messageOf(defect)) };
}

function deadlineOutcome(settings: ListenerSettings): CheckOutcome {
  return {
    response: lastResortDenial,
    record: refusalRecord(settings, "request/deadline", 403, "the deadline passed before a decision"),
  };
}

function remainingMillis(call: ServerUnaryCall<Buffer, Uint8Array>, settings: ListenerSettings): number {
  const deadline = call.getDeadline();
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  if (!Number.isFinite(at)) return settings.deadlineMillis;
  return decisionMillis(at - Date.now(), settings.deadlineMillis);
}

/** PERF: values are handed on as they are kept, which makes nothing anew (`bench/grpc.ts`). */
class GrpcCallMetadata implements CallMetadata {
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  get(name: string): readonly string[] {
    const values = this.#metadata.get(name);
    for (let i = 0; i < values.length; i++) if (typeof values[i] !== "string") return none;
    return values as readonly string[];
  }
}

const none: readonly never[] = [];
