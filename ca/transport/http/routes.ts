import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TrustBundle } from "#ca/authorities/contract";
import type { IssuanceQuery, IssuanceState, Revocation } from "#ca/store/contract";
import type { Need } from "./access.ts";
import type { Asking, HttpParts } from "./contract.ts";
import { faultShape, sendRefusal } from "./faults.ts";
import {
  renderAuthority,
  renderEntry,
  renderExplanation,
  renderRecord,
  renderRevocation,
  renderStatus,
  renderTime,
  renderToken,
  renderTried,
  renderWholeRecord,
} from "./render.ts";
import { addRootRoutes } from "./root-routes.ts";
import { schemas } from "./schemas.ts";
import type {
  AuditShape,
  BackupQuestion,
  CertificatesShape,
  CreatedTokenShape,
  EntriesShape,
  IssuedShape,
  IssueQuestion,
  RevocationQuestion,
  RevocationsShape,
  RevokedShape,
  TokenQuestion,
  TokensShape,
  TryQuestion,
} from "./shapes.ts";

const defaultPage = 100;

type AskingOf = (request: FastifyRequest) => Asking;

/** Adds every route of the JSON door, each with what it needs. */
export function addRoutes(app: FastifyInstance, parts: HttpParts, askingOf: AskingOf): void {
  addPublic(app, parts, askingOf);
  addReads(app, parts);
  addWrites(app, parts, askingOf);
  addRootRoutes(app, parts, askingOf);
}

function open(schema: object, need: Need) {
  return { schema, config: { need } };
}

function addPublic(app: FastifyInstance, { service, renderJwks, renderPem }: HttpParts, askingOf: AskingOf): void {
  app.post<{ Body: IssueQuestion }>("/v1/certificates", open(schemas.issue, "caller"), async (request, reply) => {
    const { csr, ttlSeconds, spiffeId } = request.body;
    const { credentials } = askingOf(request);
    const door = credentials.operatorSocket ? "socket" : "http";
    const nothing = { certSigner: undefined, impersonatedIdentity: undefined };
    const answer = await service.issue({ csrPem: csr, ttlSeconds, spiffeId, credentials, door, ...nothing });
    if (!answer.ok) return sendRefusal(reply, answer);
    return {
      serial: answer.serialHex,
      spiffeId: answer.spiffeId,
      notBefore: renderTime(answer.notBeforeMillis),
      notAfter: renderTime(answer.notAfterMillis),
      chain: answer.chain,
    } satisfies IssuedShape;
  });
  const bundle = (render: (bundle: TrustBundle) => string, type: string) => {
    const rendered = renderOnce(render);
    return (request: FastifyRequest, reply: FastifyReply) => {
      const { text, tag } = rendered(service.bundle());
      // Kept by whoever asks, and asked for again each time: RFC 9111 §5.2.2.4.
      reply.header("cache-control", "no-cache").header("etag", tag);
      if (namesTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
      return reply.type(type).send(text);
    };
  };
  app.get("/v1/bundle", open(schemas.bundle, "public"), bundle(renderPem, "application/x-pem-file"));
  app.get("/v1/bundle.json", open(schemas.bundleJson, "public"), bundle(renderJwks, "application/json; charset=utf-8"));
  app.get("/v1/openapi.json", open({ hide: true }, "public"), () => app.swagger());
}

function addReads(app: FastifyInstance, { service, nowMillis }: HttpParts): void {
  app.get("/v1/ca/status", open(schemas.status, "auditor"), async () => renderStatus(await service.status()));
  app.get<{ Querystring: CertificatesQuery }>(
    "/v1/ca/certificates",
    open(schemas.certificates, "auditor"),
    async ({ query }) => {
      const wanted = readQuery(query, nowMillis());
      const records = await service.certificates(wanted);
      const next = records.length < wanted.limit ? undefined : records.at(-1)?.serialHex;
      return {
        certificates: records.map(renderRecord),
        ...(next === undefined ? {} : { next }),
      } satisfies CertificatesShape;
    },
  );
  app.get<{ Params: { serial: string } }>(
    "/v1/ca/certificates/:serial",
    open(schemas.certificate, "auditor"),
    async ({ params }, reply) => {
      const record = await service.certificate(params.serial);
      return record === undefined ? sendAbsent(reply, "no certificate has this serial") : renderWholeRecord(record);
    },
  );
  app.get<{ Params: { id: string } }>(
    "/v1/ca/explanations/:id",
    open(schemas.explanation, "auditor"),
    async ({ params }, reply) => {
      const explanation = await service.explanation(params.id);
      return explanation === undefined
        ? sendAbsent(reply, "no explanation has this id, or not any more")
        : renderExplanation(explanation);
    },
  );
  app.get<{ Querystring: { limit?: string } }>(
    "/v1/ca/tokens",
    open(schemas.tokens, "auditor"),
    async ({ query }): Promise<TokensShape> => ({
      tokens: (await service.tokens(Number(query.limit ?? defaultPage))).map(renderToken),
    }),
  );
  app.get(
    "/v1/ca/entries",
    open(schemas.entries, "auditor"),
    (): EntriesShape => ({ entries: service.entries().map(renderEntry) }),
  );
  app.get(
    "/v1/ca/revocations",
    open(schemas.revocations, "auditor"),
    async (): Promise<RevocationsShape> => ({ revocations: (await service.revocations()).map(renderRevocation) }),
  );
  app.get("/v1/ca/audit", open(schemas.audit, "auditor"), (): Promise<AuditShape> => service.auditReport());
}

function addWrites(app: FastifyInstance, { service }: HttpParts, askingOf: AskingOf): void {
  app.post<{ Body: TokenQuestion }>("/v1/ca/tokens", open(schemas.createToken, "operator"), async (request, reply) => {
    const { spiffeId, ttlSeconds, sourceCidrs = [] } = request.body;
    const made = await service.createToken({ spiffeId, ttlSeconds, sourceCidrs }, askingOf(request).who);
    const answer: CreatedTokenShape = { token: made.token, expires: renderTime(made.expiresMillis) };
    return reply.code(201).send(answer);
  });
  app.post<{ Body: RevocationQuestion }>(
    "/v1/ca/revocations",
    open(schemas.revoke, "operator"),
    async (request): Promise<RevokedShape> => {
      const { body } = request;
      return { revoked: await service.revoke(targetOf(body), body.reason, askingOf(request).who) };
    },
  );
  app.post<{ Body: TryQuestion }>("/v1/ca/try", open(schemas.dryRun, "operator"), async ({ body }) =>
    renderTried(await service.dryRun({ spiffeId: body.spiffeId, csrPem: body.csr, ttlSeconds: body.ttlSeconds })),
  );
  app.post("/v1/ca/issuer", open(schemas.rotate, "operator"), async (request) =>
    renderAuthority(await service.rotateIssuer(askingOf(request).who)),
  );
  app.post<{ Body: BackupQuestion }>(
    "/v1/ca/backup",
    open(schemas.backup, "socket"),
    async ({ body }): Promise<BackupQuestion> => {
      await service.backup(body.file);
      return { file: body.file };
    },
  );
}

function targetOf(question: RevocationQuestion): Revocation["target"] {
  if ("serial" in question) return { kind: "serial", serialHex: question.serial };
  if ("fingerprint" in question) return { kind: "fingerprint", fingerprint: question.fingerprint };
  return { kind: "identity", spiffeId: question.spiffeId };
}

/** As `schemas.certificates` lets it through. */
interface CertificatesQuery {
  readonly after?: string;
  readonly limit?: string;
  readonly spiffeId?: string;
  readonly state?: IssuanceState;
  readonly revoked?: "true" | "false";
  readonly endingWithinSeconds?: string;
  readonly newestOnly?: "true" | "false";
}

function readQuery(query: CertificatesQuery, nowMillis: number): IssuanceQuery {
  const { after, spiffeId, state, revoked, endingWithinSeconds, newestOnly } = query;
  return {
    limit: Number(query.limit ?? defaultPage),
    ...(after === undefined ? {} : { after }),
    ...(spiffeId === undefined ? {} : { spiffeId }),
    ...(state === undefined ? {} : { state }),
    ...(revoked === undefined ? {} : { revoked: revoked === "true" }),
    ...(endingWithinSeconds === undefined
      ? {}
      : { endingBefore: { millis: nowMillis + Number(endingWithinSeconds) * 1000, nowMillis } }),
    ...(newestOnly === undefined ? {} : { newestOnly: newestOnly === "true" }),
  };
}

function sendAbsent(reply: FastifyReply, message: string) {
  return reply.code(404).send(faultShape("admin/not-found", message));
}

interface RenderedBundle {
  readonly text: string;
  readonly tag: string;
}

/** A bundle never changes: it is rendered once, whoever asks. */
function renderOnce(render: (bundle: TrustBundle) => string): (bundle: TrustBundle) => RenderedBundle {
  const known = new WeakMap<TrustBundle, RenderedBundle>();
  return (bundle) => {
    const found = known.get(bundle);
    if (found !== undefined) return found;
    const text = render(bundle);
    const rendered = { text, tag: `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` };
    known.set(bundle, rendered);
    return rendered;
  };
}

/** RFC 9110 §13.1.2, weak comparison. */
function namesTag(condition: string | undefined, tag: string): boolean {
  if (condition === undefined) return false;
  return condition.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === tag);
}
