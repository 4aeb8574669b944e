import type { TestContext } from "node:test";
import { systemClock } from "#platform/clock";
import type { DoorStart } from "#platform/door/door";
import { openChannel } from "#platform/grpc/open-channel";
import { systemTimers } from "#platform/timers";
import { followStream } from "#test/support/grpc/follow-stream";
import { type OpenGrpcDoor, openGrpcDoor } from "#test/support/grpc/open-door";
import { createDiscovery, type Discovery } from "#xds/discovery";
import { silentLog } from "../ca/silent-log.ts";
import { readDeltaResponse, readStateResponse, type SeenResponse } from "./messages.ts";
import { named, type Shelf } from "./shelf.ts";

export interface DiscoveryDoor extends OpenGrpcDoor {
  readonly discovery: Discovery;
  /** A stream over a connection of its own. */
  stream(path: string): DiscoveryClient;
}

export interface DiscoveryClient {
  send(message: Uint8Array): void;
  /** The next response, now or when it comes. Rejects when the stream ends before. */
  next(): Promise<SeenResponse>;
  readonly ended: Promise<{ readonly code: number; readonly message: string }>;
  close(): void;
}

/** A shelf served over real sockets, in plain text, on a free port unless an address is given. Callers are named for the order in which they come: `client 1`. */
export async function openDiscoveryDoor(
  t: TestContext,
  shelf: Shelf,
  address?: DoorStart["address"],
): Promise<DiscoveryDoor> {
  let callers = 0;
  const discovery = createDiscovery<string>({
    types: [shelf],
    services: [
      { service: "envoy.service.secret.v3.SecretDiscoveryService", typeUrl: shelf.typeUrl },
      { service: "envoy.service.discovery.v3.AggregatedDiscoveryService" },
    ],
    callerOf: () => named(`client ${++callers}`),
    clock: systemClock,
    timers: systemTimers,
    log: silentLog,
  });
  const opened = await openGrpcDoor(t, discovery, address && { address });
  t.after(() => discovery.close());
  return {
    ...opened,
    discovery,
    stream(path) {
      const channel = openChannel({ address: opened.door.address, tls: undefined, keepaliveMillis: 60_000 });
      t.after(() => channel.close());
      const stream = followStream(channel, path);
      const read = path.includes("Delta") ? readDeltaResponse : readStateResponse;
      return {
        send: stream.send,
        next: async () => read(await stream.next()),
        ended: stream.ended,
        close: () => channel.close(),
      };
    },
  };
}
