import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Address } from "#platform/address";
import { type CheckInput, checkMessage } from "#test/support/check/check-message";
import { checkPath } from "#test/support/service/grpc-client";

/** How a call ended. A call that has no `message` failed: `grpc-status` says how, or the stream was reset. */
export interface Ending {
  readonly message: Buffer | undefined;
  readonly grpcStatus: string | undefined;
  readonly reset: number;
}

/** An HTTP/2 connection that a test writes by hand. Errors of the connection end its calls and are not thrown. */
export function openSession(address: Address & { readonly kind: "tcp" }): ClientHttp2Session {
  const session = connect(`http://${address.host}:${address.port}`, {
    maxSessionMemory: 1000,
    maxSendHeaderBlockLength: 1 << 24,
  });
  session.on("error", () => undefined);
  return session;
}

/** The five bytes before a gRPC message, and the message. */
export function frame(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Opens a check without sending anything yet. */
export function openCall(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[]>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => undefined);
  return stream;
}

export async function endingOf(stream: ClientHttp2Stream): Promise<Ending> {
  const chunks: Buffer[] = [];
  let grpcStatus: string | undefined;
  stream.on("response", (headers) => {
    grpcStatus = headers["grpc-status"] as string | undefined;
  });
  stream.on("trailers", (headers) => {
    grpcStatus = headers["grpc-status"] as string | undefined;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (!stream.closed) await once(stream, "close").catch(() => undefined);
  const all = Buffer.concat(chunks);
  return {
    message: all.length < 5 ? undefined : all.subarray(5),
    grpcStatus,
    reset: stream.rstCode ?? constants.NGHTTP2_NO_ERROR,
  };
}

/** One check: raw bytes of the body, framed by the caller. */
export function call(
  session: ClientHttp2Session,
  body: Buffer,
  headers: Readonly<Record<string, string | string[]>> = {},
): Promise<Ending> {
  const stream = openCall(session, headers);
  stream.end(body);
  return endingOf(stream);
}

/** A check of the attacked service's workload. */
export function shopMessage(input: CheckInput = {}): Uint8Array {
  return checkMessage({
    ...input,
    extensions: { "garita.dev/namespace": "shop", "garita.dev/labels": '{"app":"web"}', ...input.extensions },
  });
}
