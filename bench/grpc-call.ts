import { type ClientHttp2Session, constants } from "node:http2";

/** A call that ended with another status than 0. */
export class CallFault extends Error {
  /** Undefined: the stream ended without one. */
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string) {
    super(`a call ended with grpc-status ${status}: ${message}`);
    this.status = status;
  }
}

/** One unary call: resolves with the body of the answer, its frame included, once it ended with status 0; rejects with `CallFault`, or as the stream does. */
export function callUnary(
  session: ClientHttp2Session,
  path: string,
  framed: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    let message = "";
    const readStatus = (fields: Readonly<Record<string, unknown>>) => {
      if (fields["grpc-status"] === undefined) return;
      status = String(fields["grpc-status"]);
      message = String(fields["grpc-message"] ?? "");
    };
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => {
      if (status === "0") resolve(Buffer.concat(chunks));
      else reject(new CallFault(status === undefined ? undefined : Number(status), message));
    });
    stream.end(framed);
  });
}

/** The five bytes before a message, which is not compressed, and the message. */
export function frame(message: Uint8Array): Buffer {
  const out = Buffer.alloc(5 + message.length);
  out.writeUInt32BE(message.length, 1);
  out.set(message, 5);
  return out;
}
