import type { StreamCall, StreamHandler } from "#platform/grpc/contract";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";
import { createDiscovery, type Discovery, type DiscoveryStart } from "#xds/discovery";
import { readDeltaResponse, readStateResponse, type SeenResponse } from "./messages.ts";
import { named } from "./shelf.ts";

/** A stream without a network: what it is sent is there at once. */
export interface ScriptedStream extends StreamHandler {
  /** Responses since the last question. */
  take(): readonly SeenResponse[];
  /** How the server ended it. */
  ending(): { readonly code: number; readonly message: string } | undefined;
  /** From now on each message fills the window; `drain` empties it. */
  stopReading(): void;
  drain(): void;
  /** The client goes away. */
  leave(): void;
}

export interface ScriptedDiscovery {
  readonly discovery: Discovery;
  readonly time: FakeTime;
  readonly lines: ReturnType<typeof recordLog>["lines"];
  open(path: string): ScriptedStream;
  /** Does all that waits for the next turn. */
  turn(): void;
}

export const secretPath = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
export const deltaSecretPath = "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets";
export const adsPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
export const deltaAdsPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** A discovery whose time and turns a test steps. */
export function scriptDiscovery(
  start: Pick<DiscoveryStart<string>, "types"> & Partial<DiscoveryStart<string>>,
): ScriptedDiscovery {
  const time = createFakeTime();
  const { log, lines } = recordLog();
  const turns: (() => void)[] = [];
  const [first] = start.types;
  const discovery = createDiscovery<string>({
    services: [
      { service: "envoy.service.secret.v3.SecretDiscoveryService", typeUrl: first!.typeUrl },
      { service: "envoy.service.discovery.v3.AggregatedDiscoveryService" },
    ],
    callerOf: () => named("web"),
    clock: time,
    timers: time,
    log,
    nextTurn: (run) => void turns.push(run),
    ...start,
  });
  return {
    discovery,
    time,
    lines,
    open: (path) => openScripted(discovery, path),
    turn() {
      while (turns.length > 0) turns.shift()!();
    },
  };
}

function openScripted(discovery: Discovery, path: string): ScriptedStream {
  const read = path.includes("Delta") ? readDeltaResponse : readStateResponse;
  let seen: SeenResponse[] = [];
  let reads = true;
  let ending: { readonly code: number; readonly message: string } | undefined;
  let over = false;
  let handler: StreamHandler | undefined;
  const close = () => {
    over = true;
    handler?.closed();
  };
  const call: StreamCall = {
    headers: () => [],
    connection: { clientCertificates: [], remoteAddress: "10.0.0.1", unixSocket: false },
    send(message) {
      if (over) return true;
      seen.push(read(message));
      return reads;
    },
    end(status) {
      if (over) return;
      ending = status;
      close();
    },
  };
  const opened = discovery.streams.get(path)!(call);
  handler = opened;
  if (over) opened.closed();
  return {
    message: (bytes) => void (over || opened.message(bytes)),
    finished: () => opened.finished(),
    drained: () => opened.drained(),
    closed: () => opened.closed(),
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    ending: () => ending,
    stopReading() {
      reads = false;
    },
    drain() {
      reads = true;
      if (!over) opened.drained();
    },
    leave() {
      if (!over) close();
    },
  };
}
