import type { IssueCertificate, RefusedAnswer } from "#ca/issuance/contract";
import { refusals } from "#ca/refusals";
import { grpcCodes } from "#platform/grpc/codes";
import type { UnaryAnswer, UnaryMethod } from "#platform/grpc/contract";
import { readCredentials } from "../credentials.ts";
import { outsideOf } from "../refusal-status.ts";
import { decodeIstioRequest, encodeIstioResponse, encodeRetryInfo } from "./messages.ts";

export const certificateService = "istio.v1.auth.IstioCertificateService";
export const createCertificatePath = `/${certificateService}/CreateCertificate`;

/**
 * `CreateCertificate`: who asks is told by the connection's certificate and the one bearer token; `clusterid` and other fields are not looked at. A refusal's status
 * carries the message of the refusal, its code and the id of its explanation, nothing else.
 */
export function createCertificateMethod(issue: IssueCertificate): UnaryMethod {
  return async (call) => {
    const read = readCredentials(call.connection, call.headers("authorization"));
    if (!read.ok) return { ok: false, code: grpcCodes.unauthenticated, message: read.message };
    const request = decodeIstioRequest(call.message);
    if (request === undefined)
      return { ok: false, code: grpcCodes.invalidArgument, message: "the message is no IstioCertificateRequest" };
    const answer = await issue({ ...request, spiffeId: undefined, credentials: read.credentials, door: "istio" });
    return answer.ok ? { ok: true, message: encodeIstioResponse(answer.chain) } : refusal(answer);
  };
}

function refusal({ code, explanationId, retryAfterMillis }: RefusedAnswer): UnaryAnswer {
  const status = outsideOf(code).grpc;
  const message = `${refusals[code].message} (${code}, explanation ${explanationId})`;
  if (retryAfterMillis === undefined) return { ok: false, code: status, message };
  return { ok: false, code: status, message, details: encodeRetryInfo(status, message, retryAfterMillis) };
}
