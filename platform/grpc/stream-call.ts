import { constants, type ServerHttp2Stream } from "node:http2";
import { messageOf } from "#platform/coded-error";
import { grpcCodes } from "#platform/grpc/codes";
import type { CallStart } from "./call.ts";
import { noRoom } from "./call-room.ts";
import type { CallHead, GrpcStatus, StreamCall, StreamHandler, StreamMethod } from "./contract.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { refuse } from "./refuse.ts";
import { frame, readNextFrame, trailers } from "./wire.ts";

/** Longer messages of a stream end it. */
export const streamMessageLimitBytes = 4 * 1024 * 1024;

/** Serves one call of streams until either side ends it. */
export function serveStream(
  stream: ServerHttp2Stream,
  method: StreamMethod,
  head: CallHead,
  { room, log, requestMillis, timers, openStreams }: CallStart,
): void {
  const pending = new PendingBytes(room);
  let handler: StreamHandler | undefined;
  let over = false;
  let ending: GrpcStatus = { code: grpcCodes.ok, message: "" };
  /** Takes the time back that runs while a message has begun and not come to its end, and once more after the call's own end. */
  let cancel: (() => void) | undefined;

  const guard = (run: () => void) => {
    try {
      run();
    } catch (defect) {
      log.error({ err: defect, fault: messageOf(defect) }, "a call failed");
      end({ code: grpcCodes.internal, message: "the call failed" });
    }
  };
  const close = () => {
    over = true;
    openStreams.delete(end);
    pending.clear();
    cancel?.();
    guard(() => handler?.closed());
  };
  const end = (status: GrpcStatus) => {
    if (over) return;
    ending = status;
    close();
    if (stream.destroyed || stream.closed) return;
    if (!stream.headersSent) {
      refuse(stream, status);
      return;
    }
    stream.end();
    // A client that reads nothing keeps nothing for ever.
    cancel = timers.after(requestMillis, () => stream.close(constants.NGHTTP2_CANCEL));
  };
  const call: StreamCall = {
    ...head,
    send(message) {
      return over || stream.destroyed || stream.closed || stream.write(frame(message));
    },
    end,
  };
  const read = () => {
    while (!over) {
      const next = readNextFrame(pending.bytes, streamMessageLimitBytes);
      if (next === undefined) break;
      if (!next.ok) {
        end(next);
        return;
      }
      pending.drop(next.sizeBytes);
      guard(() => handler?.message(next.message));
    }
  };

  openStreams.add(end);
  stream.once("close", () => {
    cancel?.();
    if (!over) close();
  });
  guard(() => {
    handler = method(call);
  });
  if (over) {
    guard(() => handler?.closed());
    return;
  }
  stream.once("wantTrailers", () => {
    stream.sendTrailers(trailers(ending));
    // RFC 9113 §8.1: a client that is still sending is told that it need not, by a reset that is no fault. ORDER: one that is asked for before the trailers are on their way takes their place.
    if (!stream.readableEnded) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  });
  // At once, for a stream may have nothing to send for long, and who waits for headers takes a server for dead.
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("drain", () => {
    if (!over) guard(() => handler?.drained());
  });
  stream.on("data", (chunk: Buffer) => {
    if (over) return;
    if (!pending.append(chunk)) {
      end(noRoom);
      return;
    }
    read();
    if (over) return;
    if (pending.sizeBytes === 0) {
      cancel?.();
      cancel = undefined;
    } else {
      cancel ??= timers.after(requestMillis, () =>
        end({ code: grpcCodes.unavailable, message: "the message did not arrive in time" }),
      );
    }
  });
  stream.once("end", () => {
    // A stream that the client reset ends as well.
    if (over || stream.closed) return;
    if (pending.sizeBytes > 0) end({ code: grpcCodes.invalidArgument, message: "the message is cut off" });
    else guard(() => handler?.finished());
  });
}
