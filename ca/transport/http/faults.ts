import type { FastifyError, FastifyReply } from "fastify";
import type { RefusedAnswer } from "#ca/issuance/contract";
import { refusals } from "#ca/refusals";
import { CodedError } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { outsideOf } from "../refusal-status.ts";
import type { FaultShape } from "./shapes.ts";

/** How the outside sees a failed operation, by the area of its code. Of any other nothing is told: it is a defect of ours. */
const areaStatus: Readonly<Record<string, number>> = {
  "ca-store": 503,
  "ca-token": 400,
  "ca-revocation": 400,
  "ca-rotation": 409,
  "ca-authority": 409,
  "ca-key": 409,
};

/** Codes that are not like the others of their area. */
const codeStatus: Readonly<Partial<Record<FaultCode, number>>> = {
  "ca-revocation/unknown": 404,
  "ca-revocation/full": 409,
  "ca-store/unknown": 404,
  "ca-store/exists": 409,
  "ca-store/backup-failed": 500,
  "ca-authority/lint": 500,
  "ca-authority/self-test": 500,
};

export interface SeenFault {
  readonly status: number;
  readonly body: FaultShape;
}

/** What a client is told of an error: never a cause, and never a value that it sent. */
export function faultOf(error: FastifyError | CodedError | Error): SeenFault {
  if (error instanceof CodedError) {
    const status = codeStatus[error.code] ?? areaStatus[error.code.split("/")[0]!];
    if (status !== undefined) return { status, body: { code: error.code, message: error.message } };
    return failed;
  }
  const { statusCode, validation } = error as FastifyError;
  if (statusCode === undefined || statusCode >= 500) return failed;
  if (statusCode === 404) return notFound;
  // Messages of the validator name a place and a rule, those of the parser may quote.
  const message = validation === undefined ? (unread[statusCode] ?? "the request cannot be read") : error.message;
  return { status: statusCode, body: faultShape("admin/request", message) };
}

const unread: Readonly<Record<number, string>> = {
  400: "the body is no JSON",
  413: "the body is larger than 64 KiB",
  415: "the body must be application/json",
};

export function faultShape(code: FaultCode, message: string): FaultShape {
  return { code, message };
}

export const notFound: SeenFault = {
  status: 404,
  body: faultShape("admin/not-found", "there is nothing at this path"),
};
const failed: SeenFault = { status: 500, body: faultShape("admin/failed", "the request failed") };

/** Answers with a refusal of the core. */
export function sendRefusal(reply: FastifyReply, { code, explanationId, retryAfterMillis }: RefusedAnswer) {
  const { http } = outsideOf(code);
  if (http === 401) challenge(reply);
  if (retryAfterMillis !== undefined)
    reply.header("retry-after", String(Math.max(1, Math.ceil(retryAfterMillis / 1000))));
  return reply.code(http).send({ code, message: refusals[code].message, id: explanationId } satisfies FaultShape);
}

/** RFC 9110 §11.6.1: a 401 says which credential is wanted. */
export function challenge(reply: FastifyReply): void {
  reply.header("www-authenticate", 'Bearer realm="garita"');
}
