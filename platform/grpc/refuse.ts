import { constants, type ServerHttp2Stream } from "node:http2";
import type { GrpcStatus } from "./contract.ts";
import { trailers } from "./wire.ts";

/** Ends a call that nothing was sent of: a status without a message, whose trailers are the answer's only headers. Does nothing once the stream is gone or answered. */
export function refuse(stream: ServerHttp2Stream, status: GrpcStatus & { readonly details?: Uint8Array }): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const head = { ":status": 200, "content-type": "application/grpc", ...trailers(status) };
  stream.respond(head, { endStream: true });
  stopReading(stream);
}

/** RFC 9113 §8.1: a client that is still sending is told that it need not, by a reset that is no fault. */
export function stopReading(stream: ServerHttp2Stream): void {
  stream.resume();
  if (!stream.readableEnded) stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
}
