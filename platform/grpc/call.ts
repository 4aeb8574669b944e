import { constants, type ServerHttp2Stream } from "node:http2";
import { messageOf } from "#platform/coded-error";
import type { DoorConnection } from "#platform/door/connections";
import { grpcCodes } from "#platform/grpc/codes";
import type { UnaryAnswer, UnaryMethod } from "./contract.ts";
import type { SessionStart } from "./session.ts";
import { frame, readFrame, trailers } from "./wire.ts";

/** Longer messages are refused: a request of the largest key is below 2 KiB. */
export const messageLimitBytes = 64 * 1024;
const frameHeadBytes = 5;

/** Reads one call of a stream, has it answered, and ends the stream. `fields`: names and values in turn, as they were sent. */
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
  const method = start.methods.get(headers(":path")[0] ?? "");
  if (method === undefined) {
    refuse(stream, { ok: false, code: grpcCodes.unimplemented, message: "there is no such method" });
    return;
  }
  let keptBytes = 0;
  stream.once("close", () => start.room.giveBack(keptBytes));
  const keep = (moreBytes: number): boolean => {
    if (!start.room.take(moreBytes)) {
      refuse(stream, {
        ok: false,
        code: grpcCodes.resourceExhausted,
        message: "too many calls wait for their messages",
      });
      return false;
    }
    keptBytes += moreBytes;
    return true;
  };
  if (!keep(sizeOf(fields))) return;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const timer = setTimeout(
    () => refuse(stream, { ok: false, code: grpcCodes.unavailable, message: "the message did not arrive in time" }),
    start.requestMillis,
  );
  stream.once("close", () => clearTimeout(timer));
  stream.on("data", (chunk: Buffer) => {
    if (stream.headersSent) return;
    sizeBytes += chunk.length;
    if (sizeBytes > messageLimitBytes + frameHeadBytes)
      refuse(stream, { ok: false, code: grpcCodes.invalidArgument, message: "the message is longer than 64 KiB" });
    // A copy: a chunk is a part of what was read at once, and a byte of it would keep all the rest.
    else if (keep(chunk.length)) chunks.push(new Uint8Array(chunk));
  });
  stream.once("end", () => {
    clearTimeout(timer);
    if (stream.aborted || stream.headersSent) return;
    const read = readFrame(Buffer.concat(chunks));
    if (!read.ok) refuse(stream, read);
    else void answer(stream, method, { message: read.message, headers, connection }, start);
  });
}

async function answer(
  stream: ServerHttp2Stream,
  method: UnaryMethod,
  request: Parameters<UnaryMethod>[0],
  start: SessionStart,
): Promise<void> {
  let given: UnaryAnswer;
  try {
    given = await method(request);
  } catch (defect) {
    start.log.error({ err: defect, fault: messageOf(defect) }, "a call failed");
    given = { ok: false, code: grpcCodes.internal, message: "the call failed" };
  }
  if (!given.ok) {
    refuse(stream, given);
    return;
  }
  if (stream.destroyed || stream.closed) return;
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.end(frame(given.message));
}

/** A status without a message: its trailers are the answer's only headers. */
function refuse(stream: ServerHttp2Stream, refusal: UnaryAnswer & { readonly ok: false }): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const head = { ":status": 200, "content-type": "application/grpc", ...trailers(refusal) };
  stream.respond(head, { endStream: true });
  stopReading(stream);
}

/** RFC 9113 §8.1: a client that is still sending is told that it need not, by a reset that is no fault. */
function stopReading(stream: ServerHttp2Stream): void {
  stream.resume();
  if (!stream.readableEnded) stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
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
