import type { ServerHttp2Stream } from "node:http2";
import type { DoorConnection } from "#platform/door/connections";
import { grpcCodes } from "#platform/grpc/codes";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { CallRoom } from "./call-room.ts";
import { noRoom } from "./call-room.ts";
import type { GrpcMethods, GrpcStatus } from "./contract.ts";
import { fieldValues, firstField } from "./fields.ts";
import { refuse, stopReading } from "./refuse.ts";
import { serveStream } from "./stream-call.ts";
import { answerUnary } from "./unary-call.ts";

/** What calls are answered with. */
export interface CallStart {
  readonly methods: GrpcMethods;
  /** A call whose message takes longer to arrive is refused. */
  readonly requestMillis: number;
  readonly timers: Timers;
  readonly room: CallRoom;
  readonly log: Log;
  /** How to end each call of streams that is open. */
  readonly openStreams: Set<(status: GrpcStatus) => void>;
}

/** Has a call of a session answered by the method that its path names. `fields`: names and values in turn, as they were sent. */
export function answerCall(
  stream: ServerHttp2Stream,
  fields: readonly string[],
  connection: DoorConnection,
  start: CallStart,
): void {
  // A stream that broke is gone: there is nobody to answer.
  stream.on("error", () => undefined);
  const headers = (name: string) => fieldValues(fields, name);
  if (!isGrpc(fields)) {
    stream.respond({ ":status": headers(":method")[0] === "POST" ? 415 : 405 }, { endStream: true });
    stopReading(stream);
    return;
  }
  const path = headers(":path")[0] ?? "";
  const unary = start.methods.unary.get(path);
  const streaming = start.methods.streams.get(path);
  if (unary === undefined && streaming === undefined) {
    refuse(stream, { code: grpcCodes.unimplemented, message: "there is no such method" });
    return;
  }
  const sizeBytes = sizeOf(fields);
  if (!start.room.take(sizeBytes)) {
    refuse(stream, noRoom);
    return;
  }
  stream.once("close", () => start.room.giveBack(sizeBytes));
  const head = { headers, connection };
  if (unary !== undefined) answerUnary(stream, unary, head, start);
  else if (streaming !== undefined) serveStream(stream, streaming, head, start);
}

/** gRPC over HTTP/2: POST, and a content type of `application/grpc`, with a suffix or without. `fields`: names and values in turn. */
export function isGrpc(fields: readonly string[]): boolean {
  return (
    firstField(fields, ":method") === "POST" &&
    /^application\/grpc(?:$|[+;])/.test(firstField(fields, "content-type") ?? "")
  );
}

function sizeOf(fields: readonly string[]): number {
  return fields.reduce((sum, { length }) => sum + length, 0);
}
