import { PassThrough } from "node:stream";
import type { CheckRecord, ListenerSettings } from "#authz/check/contract";
import type { ListenerStart } from "#authz/transport/listener";
import { createLog } from "#platform/log";

export function listenerSettings(protocol: "grpc" | "http", more: Partial<ListenerSettings> = {}): ListenerSettings {
  return {
    name: "test",
    protocol,
    peerIdentity: "verified",
    proxyProtocol: false,
    workload: undefined,
    destination: undefined,
    pathPrefix: "",
    attributeHeaders: false,
    upstreamHeaders: [],
    secret: undefined,
    explainToClient: false,
    deadlineMillis: 5_000,
    maxMessageBytes: 1024 * 1024,
    ...more,
  };
}

/** What a transport is started with in tests, and what it has reported. */
export function listenerStart(
  protocol: "grpc" | "http",
  more: Partial<ListenerStart> = {},
): { readonly start: ListenerStart; readonly records: CheckRecord[]; readonly logged: () => string } {
  const records: CheckRecord[] = [];
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const start: ListenerStart = {
    settings: listenerSettings(protocol),
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    unixMode: 0o660,
    tls: undefined,
    observe: (record) => records.push(record),
    log: createLog({ level: "info", stream }).log,
    monotonicMillis: () => performance.now(),
    ...more,
  };
  return { start, records, logged: () => text };
}
