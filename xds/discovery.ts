import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import { createCallRoom } from "#platform/grpc/call-room";
import { grpcCodes } from "#platform/grpc/codes";
import type { GrpcMethods, StreamMethod, UnaryMethod } from "#platform/grpc/contract";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { CallerOf, IdentifiedCaller, ResourceType, StreamRefusal, StreamStatus } from "./contract.ts";
import { discoveryLimits } from "./limits.ts";
import type { DeltaRequest, StateRequest } from "./messages/decode-request.ts";
import { DiscoveryStream, type Variant, variants } from "./server/discovery-stream.ts";
import { createFetch } from "./server/fetch.ts";
import { createTurns } from "./server/turns.ts";
import { discoveryServices, type ServiceName } from "./services.ts";

/** A service that is served, by the name that it has in Envoy's API. */
export interface ServedService {
  readonly service: ServiceName;
  /** Its streams are of this type, with one resource in a response. Undefined: they are of all types, each with all its resources in one response. */
  readonly typeUrl?: string;
}

/** `C`: what the door knows of a caller. */
export interface DiscoveryStart<C> {
  readonly types: readonly ResourceType<C>[];
  readonly services: readonly ServedService[];
  readonly callerOf: CallerOf<C>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Calls back once the event loop has looked at everything else; not given: `setImmediate`. */
  readonly nextTurn?: (run: () => void) => void;
}

/** Resources by streams. What it serves is what a door of gRPC takes. */
export interface Discovery extends GrpcMethods {
  /** Of each open stream, each type that it asked for. */
  status(): readonly StreamStatus[];
  /** Ends all streams with UNAVAILABLE, and those that are opened afterwards. */
  close(): void;
}

/** So often it is asked whether the callers of open streams still are who they were. */
const lookMillis = 60_000;

const stopping: StreamRefusal = { code: grpcCodes.unavailable, message: "the server stops" };

/**
 * Serves types of resources by Envoy's discovery protocol (xDS v3), to each caller what it may have. A change reaches every stream in the next turns of the event loop; a client that reads
 * slowly gets the newest when it reads again, and nothing in between.
 */
export function createDiscovery<C>(start: DiscoveryStart<C>): Discovery {
  const { services, callerOf, clock, timers, log } = start;
  const types = new Map(start.types.map((type) => [type.typeUrl, type]));
  const room = createCallRoom(discoveryLimits.totalBytes);
  const turns = createTurns(start.nextTurn ?? setImmediate);
  const open = new Set<Pick<DiscoveryStream<C, StateRequest>, "end" | "status" | "lookAtCaller">>();
  let ids = 0;
  let closed = false;
  let stopLooking: (() => void) | undefined;
  const look = () => {
    for (const stream of open) turns.add(stream.lookAtCaller);
    stopLooking = open.size === 0 ? undefined : timers.after(lookMillis, look);
  };

  const method =
    <R extends StateRequest | DeltaRequest>(
      name: StreamStatus["variant"],
      variant: Variant<R>,
      only: string | undefined,
    ): StreamMethod =>
    (call) => {
      const stream: DiscoveryStream<C, R> = new DiscoveryStream<C, R>({
        id: ++ids,
        call,
        name,
        variant,
        types,
        only,
        room,
        turns,
        clock,
        log,
        closed: () => open.delete(stream),
      });
      if (closed) {
        stream.end(stopping);
        return stream;
      }
      open.add(stream);
      stopLooking ??= timers.after(lookMillis, look);
      const begin = (identified: IdentifiedCaller<C> | StreamRefusal) =>
        "code" in identified ? stream.end(identified) : stream.identify(identified);
      const identified = callerOf(call);
      if (!(identified instanceof Promise)) begin(identified);
      else {
        identified.then(begin).catch((defect: unknown) => {
          log.error({ err: defect, fault: messageOf(defect) }, "a caller could not be identified");
          stream.end({ code: grpcCodes.internal, message: "the stream failed" });
        });
      }
      return stream;
    };

  const unary = new Map<string, UnaryMethod>();
  const streams = new Map<string, StreamMethod>();
  for (const { service, typeUrl } of services) {
    const { stateOfTheWorld, delta, fetch } = discoveryServices[service];
    const type = typeUrl === undefined ? undefined : types.get(typeUrl);
    streams.set(
      `/${service}/${stateOfTheWorld}`,
      method("state-of-the-world", variants["state-of-the-world"], typeUrl),
    );
    streams.set(`/${service}/${delta}`, method("delta", variants.delta, typeUrl));
    if (fetch !== undefined && type !== undefined)
      unary.set(`/${service}/${fetch}`, createFetch({ type, callerOf, clock }));
  }
  return {
    unary,
    streams,
    status: () => [...open].flatMap((stream) => stream.status()),
    close() {
      closed = true;
      stopLooking?.();
      turns.clear();
      for (const stream of open) stream.end(stopping);
    },
  };
}
