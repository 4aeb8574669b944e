import { grpcCodes } from "#platform/grpc/codes";
import type { UnaryMethod } from "./contract.ts";

/** Answers whether a certificate could be issued now. */
export type IsServing = () => boolean;

export const healthPath = "/grpc.health.v1.Health/Check";

/**
 * `grpc.health.v1.Health/Check`, for everybody: it tells one bit. `services`: names that may be asked for, beside the empty one. Two messages of one field each are read and written by hand: the ready-made package
 * parses its proto file with a full protobuf library when it is loaded. `Watch` is for those who have changes to tell.
 */
export function createHealthCheck(serving: IsServing, services: readonly string[]): UnaryMethod {
  const known: ReadonlySet<string> = new Set(["", ...services]);
  return ({ message }) => {
    const service = readHealthRequest(message);
    if (service === undefined)
      return { ok: false, code: grpcCodes.invalidArgument, message: "unreadable HealthCheckRequest" };
    if (!known.has(service)) return { ok: false, code: grpcCodes.notFound, message: "unknown service" };
    return { ok: true, message: encodeHealth(serving() ? "serving" : "not-serving") };
  };
}

const servingStatus = { serving: 1, "not-serving": 2, unknown: 3 } as const;

/** HealthCheckResponse {status = 1}; `unknown`: what a watcher of a service that is not there is told. */
export function encodeHealth(state: keyof typeof servingStatus): Uint8Array {
  return Uint8Array.of(0x08, servingStatus[state]);
}

/** HealthCheckRequest {service = 1}: the name, of up to 127 bytes, so that a length is one byte. Undefined: anything else. */
export function readHealthRequest(message: Uint8Array): string | undefined {
  if (message.length === 0) return "";
  const length = message[1];
  if (message[0] !== 0x0a || length === undefined || length > 127 || message.length !== length + 2) return undefined;
  return Buffer.from(message.buffer, message.byteOffset + 2, length).toString("utf8");
}
