import type { ServerHttp2Stream } from "node:http2";
import type { DoorConnection } from "#platform/door/connections";
import { grpcCodes } from "#platform/grpc/codes";
import { noRoom } from "./call-room.ts";
import { refuse, stopReading } from "./refuse.ts";
import type { SessionStart } from "./session.ts";
import { serveStream } from "./stream-call.ts";
import { answerUnary } from "./unary-call.ts";

/** Has a call of a session answered by the method that its path names. `fields`: names and values in turn, as they were sent. */
export function answerCall(
  stream: ServerHttp2Stream,
  fields: readonly string[],
  connection: DoorConnection,
  start: SessionStart,
): void {
  // A stream that broke is gone: there is nobody to answer.
  stream.on("error", () => undefined);
  const headers = (name: string) => valuesOf(fields, name);
  if (!isGrpc(headers)) {
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

/** gRPC over HTTP/2: POST, and a content type of `application/grpc`, with a suffix or without. */
function isGrpc(headers: (name: string) => readonly string[]): boolean {
  return headers(":method")[0] === "POST" && /^application\/grpc(?:$|[+;])/.test(headers("content-type")[0] ?? "");
}

function sizeOf(fields: readonly string[]): number {
  return fields.reduce((sum, { length }) => sum + length, 0);
}

function valuesOf(fields: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1]!);
  return values;
}
