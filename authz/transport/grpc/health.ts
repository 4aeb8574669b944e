import { grpcCodes } from "#platform/grpc/codes";
import type { GrpcMethods, StreamMethod } from "#platform/grpc/contract";
import { createHealthCheck, encodeHealth, healthPath, readHealthRequest } from "#platform/grpc/health";

/** Is a rule set in force, and are we to stay? Watchers hear of changes. */
export interface Health {
  serving(): boolean;
  onChange(listener: () => void): () => void;
}

/** The full name of the one service that this transport is about. */
export const authorizationService = "envoy.service.auth.v3.Authorization";

/** How many watchers one server keeps. */
const watcherLimit = 100;

const knownServices: ReadonlySet<string> = new Set(["", authorizationService]);

/** `grpc.health.v1.Health` with `Check` and `Watch`. */
export function createHealthMethods(health: Health): GrpcMethods {
  return {
    unary: new Map([[healthPath, createHealthCheck(() => health.serving(), [authorizationService])]]),
    streams: new Map([["/grpc.health.v1.Health/Watch", createWatch(health)]]),
  };
}

function createWatch(health: Health): StreamMethod {
  let watchers = 0;
  return (call) => {
    let forget: (() => void) | undefined;
    const begin = (service: string) => {
      watchers++;
      let last: string | undefined;
      const tell = () => {
        const state = !knownServices.has(service) ? "unknown" : health.serving() ? "serving" : "not-serving";
        if (state !== last) call.send(encodeHealth(state));
        last = state;
      };
      const stop = health.onChange(tell);
      forget = () => {
        watchers--;
        stop();
      };
      tell();
    };
    return {
      message(bytes) {
        if (forget !== undefined) return;
        const service = readHealthRequest(bytes);
        if (service === undefined || watchers >= watcherLimit)
          call.end({ code: grpcCodes.unavailable, message: "not watched" });
        else begin(service);
      },
      // The client has asked, and listens on.
      finished() {},
      drained() {},
      closed() {
        forget?.();
      },
    };
  };
}
