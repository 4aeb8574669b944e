import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";

/** Is a rule set in force, and are we to stay? Watchers hear of changes. */
export interface Health {
  serving(): boolean;
  onChange(listener: () => void): () => void;
}

/** Names that are asked for; the empty one is the server as a whole. */
const knownServices: ReadonlySet<string> = new Set(["", "envoy.service.auth.v3.Authorization"]);

/** How many watchers one server keeps. */
const watcherLimit = 100;

const notFound = 5;
const unavailable = 14;
const invalidArgument = 3;

/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/**
 * Adds `grpc.health.v1.Health` with `Check` and `Watch`. PERF: two messages of one field each are read and written by hand: the
 * ready-made package parses its proto file with a full protobuf library when it is loaded, half of a cold start.
 */
export function addHealth(server: Server, health: Health): void {
  let watchers = 0;
  server.addService(healthDefinition, {
    Check: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      const service = serviceOf(call.request);
      if (service === undefined) done({ code: invalidArgument, details: "unreadable HealthCheckRequest" });
      else if (!knownServices.has(service)) done({ code: notFound, details: "unknown service" });
      else done(null, encodeStatus(statusOf(health)));
    },
    Watch: (call: ServerWritableStream<Buffer, Buffer>) => {
      const service = serviceOf(call.request);
      if (service === undefined || watchers >= watcherLimit) {
        call.emit("error", { code: unavailable, details: "not watched" });
        return;
      }
      if (!knownServices.has(service)) {
        // The protocol keeps such a stream open: the service might come.
        call.write(encodeStatus(servingStatus.serviceUnknown));
      }
      watchers++;
      let last = 0;
      const tell = () => {
        if (!knownServices.has(service)) return;
        const status = statusOf(health);
        if (status !== last) call.write(encodeStatus(status));
        last = status;
      };
      const forget = health.onChange(tell);
      tell();
      call.once("cancelled", () => {
        watchers--;
        forget();
        call.end();
      });
    },
  });
}

const asBytes = (bytes: Buffer): Buffer => bytes;

function method(name: string, responseStream: boolean) {
  return {
    path: `/grpc.health.v1.Health/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
}

const healthDefinition = { Check: method("Check", false), Watch: method("Watch", true) };

function statusOf(health: Health): number {
  return health.serving() ? servingStatus.serving : servingStatus.notServing;
}

/** HealthCheckResponse {status = 1}. */
function encodeStatus(status: number): Buffer {
  return Buffer.from([0x08, status]);
}

/** HealthCheckRequest {service = 1}: names of up to 127 bytes, so that a length is one byte. Undefined: anything else. */
function serviceOf(message: Buffer): string | undefined {
  if (message.length === 0) return "";
  const length = message[1];
  if (message[0] !== 0x0a || length === undefined || length > 127 || message.length !== length + 2) return undefined;
  return message.toString("utf8", 2);
}
