import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { HttpCheck, HttpCheckOutcome, HttpCheckResponse, ListenerSettings } from "#authz/check/contract";
import type { DecisionReason } from "#authz/engine/decision";
import { messageOf } from "#platform/coded-error";
import { guardClients } from "#platform/guard-clients";
import { listen } from "#platform/listen";
import { secureContextOptions } from "#platform/tls-material";
import { decisionMillis } from "../decision-time.ts";
import { type Listener, type ListenerStart, receiveLimitBytes, refusalRecord } from "../listener.ts";
import { rawHeaders, sendable } from "./message.ts";
import { answerParserFault, answerRaw } from "./raw-answer.ts";
import { mountServer, type Patience } from "./server.ts";

export interface HttpListenerStart extends ListenerStart {
  readonly check: HttpCheck;
  /** How long clients may take; `defaultPatience` unless given. */
  readonly patience?: Patience;
}

export const defaultPatience: Patience = { headersMillis: 15_000, requestMillis: 30_000, checkMillis: 5_000 };

/** Starts an HTTP ext_authz listener: every request, whatever its method and target, is a question to `check`. */
export async function serveHttp(start: HttpListenerStart): Promise<Listener> {
  let { settings, tls } = start;
  let ending = false;
  const { server, close } = await mountServer(
    {
      request(request, response) {
        answer(start, settings, request, response, () => ending);
      },
      connect(request, socket) {
        if (waiting.has(socket)) socket.destroy();
        else answerConnect(start, settings, request, socket);
      },
      unreadable(fault, socket) {
        if (waiting.has(socket)) {
          socket.destroy();
          return;
        }
        const status = answerParserFault(fault, socket);
        if (status !== undefined) {
          report(start, refusalRecord(settings, "request/unreadable", status, fault.code ?? fault.message), 0);
        }
      },
    },
    start.patience ?? defaultPatience,
    tls,
  );
  if (tls !== undefined) {
    guardClients(
      server as unknown as TlsServer,
      () => tls!,
      (reason, remote) => start.log.warn({ listener: settings.name, remote, reason }, "client refused"),
    );
  }
  const address = await listen(server, start.address, start.unixMode).catch(async (fault: unknown) => {
    await close(AbortSignal.abort());
    throw fault;
  });
  server.on("error", (error) =>
    start.log.error({ listener: settings.name, fault: messageOf(error) }, "listener failed"),
  );

  return {
    name: settings.name,
    address,
    update(nextSettings, nextTls) {
      settings = nextSettings;
      if (tls === undefined || nextTls === undefined) return;
      (server as unknown as TlsServer).setSecureContext(secureContextOptions(nextTls));
      tls = nextTls;
    },
    announceEnd() {
      // Answers from here on close their connection, so that Envoy's pool opens its next one elsewhere.
      ending = true;
    },
    async stop(deadline) {
      ending = true;
      await close(deadline);
    },
  };
}

/**
 * Connections with a request whose decision is awaited. INVARIANT: what is written past Node's queue of responses (CONNECT, parser
 * faults) never overtakes an answer that an earlier request on the connection still waits for.
 */
const waiting = new WeakMap<Socket, number>();

/** INVARIANT: one answer per request, and without a decision to allow it is a denial below 500: Envoy takes 5xx for a failure. */
function answer(
  start: HttpListenerStart,
  settings: ListenerSettings,
  request: IncomingMessage,
  response: ServerResponse,
  ending: () => boolean,
): void {
  const begun = start.monotonicMillis();
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  const reply = (outcome: HttpCheckOutcome) => {
    // Asked when the answer goes out: the end may have begun while a decision was awaited.
    if (ending()) response.shouldKeepAlive = false;
    send(response, outcome.response);
    report(start, outcome.record, start.monotonicMillis() - begun);
  };
  const remainingMillis = remainingFor(request, settings, () => start.monotonicMillis() - begun);
  if (!hasBody(request)) {
    request.resume();
    decide(start, settings, request, undefined, remainingMillis, reply);
    return;
  }
  readBody(request, Math.min(settings.maxMessageBytes, receiveLimitBytes), (body) => {
    if (body !== undefined) {
      decide(start, settings, request, body, remainingMillis, reply);
      return;
    }
    response.shouldKeepAlive = false;
    reply(refusal(settings, "request/too-large", 413, `a body of more than ${settings.maxMessageBytes} bytes`));
  });
}

/**
 * Calls back once with the body, or with undefined when it is larger than the limit. A body that is too large is taken and thrown away up
 * to what the transport takes at all: an answer that comes before the last byte may be lost in the reset that follows, and a
 * reset is a failure to Envoy, not a denial.
 */
function readBody(request: IncomingMessage, limitBytes: number, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let answered = false;
  const answer = (body: Buffer | undefined) => {
    if (!answered) done(body);
    answered = true;
  };
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= limitBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (sizeBytes > receiveLimitBytes) answer(undefined);
  });
  request.on("end", () => answer(sizeBytes > limitBytes ? undefined : Buffer.concat(chunks, sizeBytes)));
}

/** A CONNECT has no response object: the answer is written to the socket, which then ends. */
function answerConnect(start: HttpListenerStart, settings: ListenerSettings, request: IncomingMessage, socket: Socket) {
  const begun = start.monotonicMillis();
  socket.on("error", () => undefined);
  const remainingMillis = remainingFor(request, settings, () => start.monotonicMillis() - begun);
  decide(start, settings, request, undefined, remainingMillis, (outcome) => {
    answerRaw(socket, outcome.response);
    report(start, outcome.record, start.monotonicMillis() - begun);
  });
}

function decide(
  start: HttpListenerStart,
  settings: ListenerSettings,
  request: IncomingMessage,
  body: Uint8Array | undefined,
  remainingMillis: () => number,
  reply: (outcome: HttpCheckOutcome) => void,
): void {
  const defect = (thrown: unknown) => {
    start.log.error({ err: thrown, listener: settings.name }, "a check failed, the request is denied");
    return refusal(settings, "internal/defect", 403, messageOf(thrown));
  };
  let outcome: HttpCheckOutcome | Promise<HttpCheckOutcome>;
  try {
    const question = {
      method: request.method ?? "",
      target: request.url ?? "",
      headers: rawHeaders(request.rawHeaders),
      body,
    };
    outcome = start.check(question, settings, remainingMillis);
  } catch (thrown) {
    outcome = defect(thrown);
  }
  if (!(outcome instanceof Promise)) {
    reply(outcome);
    return;
  }
  const { socket } = request;
  waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<HttpCheckOutcome>((resolve) => {
    const late = () => resolve(refusal(settings, "request/deadline", 403, "the deadline passed before a decision"));
    timer = setTimeout(late, remainingMillis());
    timer.unref();
  });
  Promise.race([outcome, limit])
    .catch(defect)
    .then((first) => {
      clearTimeout(timer);
      const others = (waiting.get(socket) ?? 1) - 1;
      if (others === 0) waiting.delete(socket);
      else waiting.set(socket, others);
      reply(first);
    });
}

/** How long Envoy waits for its HTTP service, in milliseconds: it says so with every question, in place of what a client wrote there. */
const CALLER_WAITS = "x-envoy-expected-rq-timeout-ms";

/** A caller that says nothing, or no number, waits for as long as the listener decides. */
function remainingFor(request: IncomingMessage, settings: ListenerSettings, passedMillis: () => number): () => number {
  const said = request.headers[CALLER_WAITS];
  const waitsMillis = typeof said === "string" && /^\d{1,9}$/.test(said) ? Number(said) : Number.POSITIVE_INFINITY;
  return () => {
    const ours = Math.max(0, settings.deadlineMillis - passedMillis());
    return waitsMillis === Number.POSITIVE_INFINITY ? ours : decisionMillis(waitsMillis - passedMillis(), ours);
  };
}

function send(response: ServerResponse, answer: HttpCheckResponse): void {
  const { status, headers, body } = sendable(answer);
  // Envoy hands a denial's headers to its client: those about this connection and this clock are no business of the client's.
  response.sendDate = false;
  if (response.shouldKeepAlive) response.removeHeader("connection");
  response.writeHead(status, headers);
  response.end(body);
}

function report(start: HttpListenerStart, record: HttpCheckOutcome["record"], durationMillis: number): void {
  try {
    start.observe(record, durationMillis);
  } catch (defect) {
    start.log.error({ fault: messageOf(defect) }, "a decision could not be recorded");
  }
}

function refusal(settings: ListenerSettings, reason: DecisionReason, status: number, detail: string): HttpCheckOutcome {
  return { response: { status, headers: [], body: "" }, record: refusalRecord(settings, reason, status, detail) };
}

/** RFC 9112 §6.3: a request has a body when one of these two headers says so. */
function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  return coding !== undefined || (length !== undefined && length !== "0");
}
