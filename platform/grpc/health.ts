import { grpcCodes } from "#platform/grpc/codes";
import type { UnaryMethod } from "./contract.ts";

/** Answers whether a certificate could be issued now. */
export type IsServing = () => boolean;

export const healthPath = "/grpc.health.v1.Health/Check";

/**
 * `grpc.health.v1.Health/Check`, for everybody: it tells one bit. `services`: names that may be asked for, beside the empty one. `Watch` is not served: its protocol
 * has clients take that for health, and load balancers and probes ask `Check`. Two messages of one field each are read and written by hand.
 */
export function createHealthCheck(serving: IsServing, services: readonly string[]): UnaryMethod {
  const known: ReadonlySet<string> = new Set(["", ...services]);
  return ({ message }) => {
    const service = serviceOf(Buffer.from(message));
    if (service === undefined)
      return { ok: false, code: grpcCodes.invalidArgument, message: "unreadable HealthCheckRequest" };
    if (!known.has(service)) return { ok: false, code: grpcCodes.notFound, message: "unknown service" };
    // HealthCheckResponse {status = 1}: SERVING is 1, NOT_SERVING 2.
    return { ok: true, message: Uint8Array.of(0x08, serving() ? 1 : 2) };
  };
}

/** HealthCheckRequest {service = 1}: names of up to 127 bytes, so that a length is one byte. Undefined: anything else. */
function serviceOf(message: Buffer): string | undefined {
  if (message.length === 0) return "";
  const length = message[1];
  if (message[0] !== 0x0a || length === undefined || length > 127 || message.length !== length + 2) return undefined;
  return message.toString("utf8", 2);
}
