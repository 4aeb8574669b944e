import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { ListenerSettings } from "#authz/check/contract";
import { answerCall, type CallStart, isGrpc } from "#platform/grpc/call";
import type { CallRoom } from "#platform/grpc/call-room";
import { firstField } from "#platform/grpc/fields";
import { keepAlive } from "#platform/grpc/session";
import { answerCheck } from "./answer-check.ts";
import { authorizationService } from "./health.ts";
import type { GrpcListenerStart } from "./serve.ts";

const checkPath = `/${authorizationService}/Check`;

/** A peer that vanished without a word is noticed, and its streams are given back. */
const keepaliveMillis = 60_000;

/**
 * Streams of one connection that may be reset, at once and per second: as many as the option can say. Each request that a client of Envoy gives up is a stream that Envoy resets here. By default Node's HTTP/2
 * takes 1,000 of them, then 33 a second, for an attack, and ends the connection: every other check on it would be a failed call, which the proxy's fail-open lets
 * pass. One client could do that to all.
 */
const resetLimit = 0xffff_ffff;

const options = {
  settings: { maxConcurrentStreams: 1000, enablePush: false },
  // What connections hold is bounded by the room for messages; Node's own 10 MB would end one.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  streamResetBurst: resetLimit,
  streamResetRate: resetLimit,
};

/** Speaks HTTP/2 and gRPC on a connection of an Envoy, from its preface on. `settings`: asked at each check. `others`: what is served beside checks. `room`: see `readMessage`. */
export function openCheckSession(
  socket: Socket,
  start: GrpcListenerStart,
  settings: () => ListenerSettings,
  others: CallStart,
  room: CallRoom,
): ServerHttp2Session {
  const session = performServerHandshake(socket, options);
  // What a client does to its own connection is none of our faults.
  session.on("error", () => session.destroy());
  keepAlive(session, keepaliveMillis, others.timers);
  const connection = { clientCertificates: [], remoteAddress: socket.remoteAddress, unixSocket: false };
  session.on("stream", (stream: ServerHttp2Stream, _headers, _flags, fields: string[]) => {
    // A stream that broke is gone: there is nobody to answer.
    stream.on("error", ignore);
    if (isCheck(fields)) answerCheck(stream, fields, start, settings(), room);
    else answerCall(stream, fields, connection, others);
  });
  return session;
}

function isCheck(fields: readonly string[]): boolean {
  return firstField(fields, ":path") === checkPath && isGrpc(fields);
}

function ignore(): void {}
