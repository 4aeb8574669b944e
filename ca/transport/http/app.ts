import type { Socket } from "node:net";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { messageOf } from "#platform/coded-error";
import type { DoorConnection } from "#platform/door/connections";
import { type DoorStart, doorTlsOptions } from "#platform/door/door";
import { readCredentials } from "../credentials.ts";
import { browserFault, type Need, roleFault } from "./access.ts";
import type { Asking, HttpParts } from "./contract.ts";
import { challenge, faultOf, faultShape, notFound } from "./faults.ts";
import { addRoutes } from "./routes.ts";

const bodyLimitBytes = 64 * 1024;
const headerLimitBytes = 32 * 1024;

/** Builds the JSON door's application. It does not listen yet. `connectionOf`: what was pinned when the socket's connection was made. */
export async function createHttpApp(
  parts: HttpParts,
  start: DoorStart,
  connectionOf: (socket: Socket) => DoorConnection,
): Promise<FastifyInstance> {
  const { limits, tls, log } = start;
  const serverOptions = {
    maxHeaderSize: headerLimitBytes,
    headersTimeout: limits.requestMillis,
    connectionsCheckingInterval: Math.min(limits.requestMillis, 1000),
    noDelay: true,
  };
  const options = {
    bodyLimit: bodyLimitBytes,
    requestTimeout: limits.requestMillis,
    forceCloseConnections: true as const,
    // What a question says is taken as it is said: nothing is turned into another type, left out or filled in.
    ajv: { customOptions: { removeAdditional: false as const, coerceTypes: false as const, useDefaults: false } },
    clientErrorHandler: refuseUnreadable,
    // A target that is no path reaches no hook and no route.
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      void reply.code(400).send(faultShape("admin/request", "the request's target cannot be read"));
    },
  };
  const app = (
    tls === undefined
      ? fastify({ ...options, http: serverOptions })
      : fastify({ ...options, https: { ...doorTlsOptions(tls, limits, "http/1.1"), ...serverOptions } })
  ) as FastifyInstance;
  app.removeContentTypeParser("text/plain");

  const asking = new WeakMap<FastifyRequest, Asking>();
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    const connection = connectionOf(request.raw.socket);
    const authorizations = valuesOf(request.raw.rawHeaders, "authorization");
    const credential = authorizations.length > 0 || connection.clientCertificates.length > 0;
    const { host, origin } = request.headers;
    const site = valuesOf(request.raw.rawHeaders, "sec-fetch-site")[0];
    // ORDER: a browser's request is recognised first, so that a page learns nothing else.
    const browser = browserFault({ host, origin, site, credential }, parts.hosts);
    if (browser !== undefined) return reply.code(browser.status).send(faultShape(browser.code, browser.message));
    const read = readCredentials(connection, authorizations);
    if (!read.ok) {
      challenge(reply);
      return reply.code(401).send(faultShape(read.code, read.message));
    }
    const need = needOf(request);
    if (need === "public" || need === "caller") {
      asking.set(request, { credentials: read.credentials, who: "" });
      return;
    }
    const { role, who, reason } = await parts.service.roleOf(read.credentials);
    const fault = roleFault(need, role, { credential, operatorSocket: connection.unixSocket });
    if (fault === undefined) {
      asking.set(request, { credentials: read.credentials, who });
      return;
    }
    log.warn({ door: start.name, remote: connection.remoteAddress, who, reason, fault: fault.message }, "not allowed");
    if (fault.status === 401) challenge(reply);
    return reply.code(fault.status).send(faultShape(fault.code, fault.message));
  });
  app.setErrorHandler((error: Error, request, reply) => {
    const { status, body } = faultOf(error);
    if (status >= 500) log.error({ err: error, door: start.name, url: request.routeOptions.url }, messageOf(error));
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(notFound.status).send(notFound.body));

  await app.register(swagger, {
    openapi: { info: { title: "Garita certificate authority", version: parts.version }, openapi: "3.1.0" },
  });
  addRoutes(app, parts, (request) => {
    const found = asking.get(request);
    if (found === undefined) throw new Error("a request was not looked at");
    return found;
  });
  await app.ready();
  return app;
}

/** INVARIANT: a route that says nothing is for operators. */
function needOf(request: FastifyRequest): Need {
  if (request.is404) return "public";
  return request.routeOptions.config.need ?? "operator";
}

/** Fields as they were sent, in their order: Node keeps only one of several Authorization fields. */
function valuesOf(fields: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i]!.toLowerCase() === name) values.push(fields[i + 1]!);
  return values;
}

/** What the parser could not read is answered, if anybody is there to read the answer, and its connection ended. */
function refuseUnreadable(fault: Error & { readonly code?: string }, socket: Socket): void {
  if (fault.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = unreadable[fault.code ?? ""] ?? ["400 Bad Request", "the request cannot be read"];
  const body = JSON.stringify(faultShape("admin/request", message));
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

const unreadable: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "the header fields are larger than 32 KiB"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request did not arrive in time"],
};
