import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as TlsServer } from "node:tls";
import type { Address } from "#platform/address";
import type { Clock } from "#platform/clock";
import { createLineGate } from "#platform/door/line-gate";
import type { FaultCode } from "#platform/fault-codes";
import { guardClients } from "#platform/guard-clients";
import { listen } from "#platform/listen";
import type { Log } from "#platform/log";
import { trackSockets } from "#platform/sockets";
import type { Timers } from "#platform/timers";
import { secureContextOptions, type TlsMaterial } from "#platform/tls-material";
import { createDeliveries } from "./deliveries.ts";
import { createHints } from "./hints.ts";
import { type Begin, webhookHosts } from "./hosts.ts";
import { webhookLimits } from "./limits.ts";

export interface WebhookStart {
  readonly address: Address;
  readonly tls: TlsMaterial | undefined;
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** There may be something new: called at most once a second. */
  readonly onHint: () => void;
  readonly count: (result: WebhookResult) => void;
}

/** What became of a request. */
export const webhookResults = ["taken", "repeated", "wrong-signature", "not-understood"] as const;
export type WebhookResult = (typeof webhookResults)[number];

export interface WebhookServer {
  readonly address: Address;
  stop(deadline: AbortSignal): Promise<void>;
}

const linesPerSecond = 5;

/** Strangers come here: what they may hold is little. */
const serverOptions: ServerOptions = {
  maxHeaderSize: webhookLimits.headerBytes,
  headersTimeout: webhookLimits.headersMillis,
  requestTimeout: webhookLimits.requestMillis,
  keepAliveTimeout: webhookLimits.idleMillis,
  connectionsCheckingInterval: 1_000,
};

/**
 * Listens for webhooks of the hosts of `webhookHosts`. A delivery is believed for its signature alone, and is only a hint: nothing in its body is read, and what is in force is
 * decided by what is fetched. Fails with `listen/failed`.
 */
export async function serveWebhook(start: WebhookStart): Promise<WebhookServer> {
  const { tls, log, clock } = start;
  const deliveries = createDeliveries();
  const hints = createHints(webhookLimits.hintGapMillis, start.timers, start.onHint);
  const gate = createLineGate(linesPerSecond, start.timers);
  const warn = (remote: string | undefined, code: FaultCode, message: string) => {
    const told = gate.pass();
    if (told !== undefined) log.warn({ listener: "webhook", remote, code, ...(told.leftOut > 0 && told) }, message);
  };
  const refuse = (request: IncomingMessage, response: ServerResponse, status: number, message: string) => {
    const wrong = status === 401;
    const code: FaultCode = wrong ? "webhook/signature" : "webhook/request";
    start.count(wrong ? "wrong-signature" : "not-understood");
    warn(request.socket.remoteAddress, code, `a webhook is refused: ${message}`);
    // What is still coming is not waited for.
    response.setHeader("connection", "close");
    answer(response, status, { error: { code, message } });
  };
  const take = async (request: IncomingMessage, response: ServerResponse, begin: Begin): Promise<void> => {
    const field = (name: string) => {
      const value = request.headers[name];
      return typeof value === "string" ? value : undefined;
    };
    const delivery = begin(field, start.secret, clock.nowMillis());
    if (delivery === undefined) return refuse(request, response, 401, wrongSignature);
    let sizeBytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > webhookLimits.deliveryBytes) return refuse(request, response, 413, tooLarge);
      delivery.update(chunk);
    }
    const marks = delivery.verify();
    if (marks === undefined) return refuse(request, response, 401, wrongSignature);
    const repeated = deliveries.isRepeated(marks, clock.nowMillis());
    start.count(repeated ? "repeated" : "taken");
    if (!repeated) hints.give();
    answer(response, 202, { asked: !repeated });
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    response.on("error", () => undefined);
    const begin = webhookHosts.get((request.url ?? "").replace(/\?.*$/s, ""));
    if (begin === undefined) return refuse(request, response, 404, "there is nothing at this path");
    if (request.method !== "POST") return refuse(request, response, 405, "webhooks are posted");
    // A client that goes away in the middle is answered nothing.
    take(request, response, begin).catch(() => response.destroy());
  };
  const server =
    tls === undefined
      ? createServer(serverOptions, onRequest)
      : createTlsServer(
          {
            ...serverOptions,
            ...secureContextOptions(tls),
            requestCert: tls.ca !== undefined,
            rejectUnauthorized: tls.ca !== undefined,
            handshakeTimeout: webhookLimits.handshakeMillis,
          },
          onRequest,
        );
  server.maxConnections = webhookLimits.connections;
  if (tls !== undefined) {
    guardClients(
      server as unknown as TlsServer,
      () => tls,
      (reason, remote) => warn(remote, "webhook/request", `client refused: ${reason}`),
    );
  }
  const sockets = trackSockets(server);
  const address = await listen(server, start.address);
  return {
    address,
    async stop(deadline) {
      hints.stop();
      const drained = sockets.drain(deadline);
      server.closeIdleConnections();
      await drained;
    },
  };
}

const wrongSignature = "it is not signed with the secret of `policies.git.webhook`, or too old";
const tooLarge = `it has more than ${webhookLimits.deliveryBytes} bytes`;

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
