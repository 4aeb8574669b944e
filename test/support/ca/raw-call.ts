import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { ConnectionOptions } from "node:tls";
import { createCertificatePath } from "./agent-calls.ts";

/** How a call that was written by hand ended. */
export interface RawEnding {
  readonly status: number | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
  readonly body: Buffer;
  /** Code of the stream's reset; 0: it ended well. */
  readonly reset: number;
}

/** An HTTP/2 connection that a test writes by hand, with fields that no client would send. Errors of the connection end its calls and are not thrown. */
export function rawSession(port: number, tls?: ConnectionOptions): ClientHttp2Session {
  // The last lets a field be sent twice; Node's types know it of servers alone.
  const lax = { maxSendHeaderBlockLength: 1 << 24, maxSessionMemory: 1000, strictSingleValueFields: false };
  const session = connect(`${tls === undefined ? "http" : "https"}://localhost:${port}`, { ...tls, ...lax });
  session.on("error", () => undefined);
  return session;
}

/** Resolves when the other side has read everything that was written before. */
export async function pinged(session: ClientHttp2Session): Promise<void> {
  if (session.connecting) await once(session, "connect");
  // A ping overtakes what still waits to be sent: the second goes behind it.
  for (let i = 0; i < 2; i++) {
    await new Promise<void>((resolve, reject) => {
      session.ping((fault) => (fault === null ? resolve() : reject(fault)));
    });
  }
}

export function openCall(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": createCertificatePath,
    "content-type": "application/grpc",
    te: "trailers",
    ...(headers as Record<string, string | string[]>),
  });
  stream.on("error", () => undefined);
  return stream;
}

/** Resolves when the stream is closed. */
export function endingOf(stream: ClientHttp2Stream): Promise<RawEnding> {
  const chunks: Buffer[] = [];
  let status: number | undefined;
  let grpcStatus: string | undefined;
  let grpcMessage: string | undefined;
  const read = (headers: Readonly<Record<string, unknown>>) => {
    grpcStatus = (headers["grpc-status"] as string | undefined) ?? grpcStatus;
    grpcMessage = (headers["grpc-message"] as string | undefined) ?? grpcMessage;
  };
  stream.on("response", (headers) => {
    status = headers[":status"];
    read(headers);
  });
  stream.on("trailers", read);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ending = () => ({
    status,
    grpcStatus,
    grpcMessage,
    body: Buffer.concat(chunks),
    reset: stream.rstCode ?? constants.NGHTTP2_NO_ERROR,
  });
  return new Promise((resolve) => {
    if (stream.closed) resolve(ending());
    else stream.once("close", () => resolve(ending()));
  });
}

/** One call with a body as it is. */
export function rawCall(
  session: ClientHttp2Session,
  body: Uint8Array,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<RawEnding> {
  const stream = openCall(session, headers);
  stream.end(body);
  return endingOf(stream);
}

/** The five bytes before a gRPC message, and the message. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
