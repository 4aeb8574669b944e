import type { Server } from "node:net";
import type { TLSSocket, Server as TlsServer } from "node:tls";
import swagger from "@fastify/swagger";
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from "fastify";
import type { FaultCode } from "#platform/fault-codes";
import { secureContextOptions } from "#platform/tls-material";
import { accessFault, type Need } from "./access.ts";
import type { AdminDoor, AdminParts } from "./contract.ts";
import { adminSchemas } from "./schemas.ts";

/** Every route, what it needs, and whether it is asked by GET or POST. */
const needs: Readonly<Record<string, Need>> = {
  "GET /healthz": "probe",
  "GET /readyz": "probe",
  "GET /metrics": "read",
  "GET /v1/status": "read",
  "GET /v1/rulesets": "read",
  "GET /v1/openapi.json": "read",
  "POST /v1/explain": "read",
  "POST /v1/reload": "write",
  "POST /v1/sync": "write",
};

/** Builds the admin API for one door. It does not listen yet. */
export async function createAdminApp(parts: AdminParts, door: AdminDoor): Promise<FastifyInstance> {
  const limits = {
    bodyLimit: 1024 * 1024,
    requestTimeout: 15_000,
    forceCloseConnections: true as const,
    // What a question says is taken as it is said: nothing is turned into another type, left out or filled in.
    ajv: { customOptions: { removeAdditional: false as const, coerceTypes: false as const, useDefaults: false } },
  };
  const app = (
    door.tls === undefined
      ? fastify(limits)
      : fastify({
          ...limits,
          https: {
            ...secureContextOptions(door.tls),
            requestCert: door.tls.ca !== undefined,
            rejectUnauthorized: door.tls.ca !== undefined,
          },
        })
  ) as FastifyInstance;
  app.removeContentTypeParser("text/plain");

  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    // What is not in the table is not there: it answers 404 to those who may read.
    const need =
      needs[`${request.method === "HEAD" ? "GET" : request.method} ${request.routeOptions.url ?? ""}`] ?? "read";
    const fault = accessFault(door, need, presentedBy(request, door));
    if (fault === undefined) return;
    if (fault.status === 401) reply.header("www-authenticate", 'Bearer realm="garita"');
    await reply.code(fault.status).send({ error: { code: fault.code, message: fault.message } });
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    const [code, message] =
      status === 500 ? (["admin/failed", "the request failed"] as const) : (["admin/request", error.message] as const);
    return reply.code(status).send(faultBody(code, message));
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(faultBody("admin/not-found", "there is nothing at this path")),
  );

  await app.register(swagger, {
    openapi: { info: { title: "Garita admin API", version: parts.status().version }, openapi: "3.1.0" },
  });
  app.get("/healthz", { schema: adminSchemas.healthz }, () => ({ status: "alive" }));
  app.get("/readyz", { schema: adminSchemas.readyz }, (_request, reply) => {
    const { rules, revocations, ending } = parts.status();
    const rulesLack = rules.active === undefined ? "no rule set in force" : "the rule set in force is stale";
    const lacks = ending ? "ending" : rules.ready ? "no deny list" : rulesLack;
    if (ending || !rules.ready || revocations?.ready === false) return reply.code(503).send({ status: lacks });
    return { status: rules.current ? "ready" : "degraded" };
  });
  app.get("/metrics", { schema: adminSchemas.metrics }, async (_request, reply) => {
    const { contentType, text } = await parts.metrics();
    return reply.type(contentType).send(text);
  });
  app.get("/v1/status", { schema: adminSchemas.status }, () => parts.status());
  app.get("/v1/rulesets", { schema: adminSchemas.rulesets }, () => parts.status().rules);
  app.get("/v1/openapi.json", { schema: { hide: true } }, () => app.swagger());
  app.post("/v1/explain", { schema: adminSchemas.explain }, async (request, reply) => {
    const answer = await parts.explain(request.body);
    if (answer.ok) return answer.explanation;
    return reply.code(answer.status).send({ error: { code: answer.code, message: answer.message } });
  });
  app.post("/v1/reload", { schema: adminSchemas.reload }, async (_request, reply) => {
    const result = await parts.reload();
    return reply.code(result.ok ? 200 : 422).send(result);
  });
  app.post("/v1/sync", { schema: adminSchemas.sync }, async (_request, reply) => {
    const answer = await parts.sync();
    return reply.code(answer.ok ? 200 : 422).send(answer);
  });
  await app.ready();
  return app;
}

function faultBody(code: FaultCode, message: string) {
  return { error: { code, message } };
}

/** The server under the application: plain, or TLS where the door has material. */
export function serverOf(app: FastifyInstance): Server {
  return app.server as Server;
}

export function tlsServerOf(app: FastifyInstance): TlsServer {
  return app.server as unknown as TlsServer;
}

function presentedBy(request: FastifyRequest, door: AdminDoor) {
  const { headers } = request;
  return {
    host: headers.host,
    origin: headers.origin,
    site: typeof headers["sec-fetch-site"] === "string" ? headers["sec-fetch-site"] : undefined,
    authorization: headers.authorization,
    certified: door.tls?.ca !== undefined && (request.raw.socket as TLSSocket).authorized === true,
  };
}
