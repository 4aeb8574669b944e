import type { ServerHttp2Stream } from "node:http2";
import { messageOf } from "#platform/coded-error";
import { grpcCodes } from "#platform/grpc/codes";
import type { CallStart } from "./call.ts";
import { noRoom } from "./call-room.ts";
import type { CallHead, UnaryAnswer, UnaryMethod, UnaryRequest } from "./contract.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { refuse } from "./refuse.ts";
import { frame, frameHeadBytes, readFrame } from "./wire.ts";

/** Longer messages are refused: a request of the largest key is below 2 KiB. */
export const messageLimitBytes = 64 * 1024;

/** Reads the message of a call, has it answered, and ends the stream. */
export function answerUnary(
  stream: ServerHttp2Stream,
  method: UnaryMethod,
  { headers, connection }: CallHead,
  start: CallStart,
): void {
  const pending = new PendingBytes(start.room);
  const cancel = start.timers.after(start.requestMillis, () =>
    refuse(stream, { code: grpcCodes.unavailable, message: "the message did not arrive in time" }),
  );
  stream.once("close", () => {
    cancel();
    pending.clear();
  });
  stream.on("data", (chunk: Buffer) => {
    if (stream.headersSent) return;
    if (pending.sizeBytes + chunk.length > messageLimitBytes + frameHeadBytes)
      refuse(stream, { code: grpcCodes.invalidArgument, message: "the message is longer than 64 KiB" });
    else if (!pending.append(chunk)) refuse(stream, noRoom);
  });
  stream.once("end", () => {
    cancel();
    if (stream.aborted || stream.headersSent) return;
    const read = readFrame(pending.bytes);
    if (!read.ok) refuse(stream, read);
    else void answer(stream, method, { message: read.message, headers, connection }, start);
  });
}

async function answer(
  stream: ServerHttp2Stream,
  method: UnaryMethod,
  request: UnaryRequest,
  start: CallStart,
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
