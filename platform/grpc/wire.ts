import { type GrpcCode, grpcCodes } from "#platform/grpc/codes";

/** Before each message: whether it is compressed, and its length. */
export const frameHeadBytes = 5;

/** The five bytes before a message (not compressed), and the message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(frameHeadBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, frameHeadBytes);
  return framed;
}

export type ReadFrame =
  | { readonly ok: true; readonly message: Uint8Array }
  | { readonly ok: false; readonly code: GrpcCode; readonly message: string };

/** The one message of a unary call's whole body. Compressed ones are not taken: clients send them only to servers that offer it. */
export function readFrame(body: Buffer): ReadFrame {
  const invalid = (message: string) => ({ ok: false, code: grpcCodes.invalidArgument, message }) as const;
  if (body.length < frameHeadBytes) return invalid("there is no message");
  if (body[0] !== 0) return compressed;
  const end = frameHeadBytes + body.readUInt32BE(1);
  if (body.length < end) return invalid("the message is cut off");
  if (body.length > end) return invalid("there is more than one message");
  return { ok: true, message: body.subarray(frameHeadBytes) };
}

export type NextFrame =
  | {
      readonly ok: true;
      /** A copy. */
      readonly message: Uint8Array;
      /** Of the frame. */
      readonly sizeBytes: number;
    }
  | { readonly ok: false; readonly code: GrpcCode; readonly message: string };

/** The first message of what has come of a stream; undefined: it is not complete yet. What is longer than the limit is refused when its length is known. */
export function readNextFrame(bytes: Buffer, limitBytes: number): NextFrame | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] !== 0) return compressed;
  if (bytes.length < frameHeadBytes) return undefined;
  const lengthBytes = bytes.readUInt32BE(1);
  if (lengthBytes > limitBytes)
    return { ok: false, code: grpcCodes.resourceExhausted, message: `a message is longer than ${limitBytes} bytes` };
  const sizeBytes = frameHeadBytes + lengthBytes;
  if (bytes.length < sizeBytes) return undefined;
  return { ok: true, message: new Uint8Array(bytes.subarray(frameHeadBytes, sizeBytes)), sizeBytes };
}

const compressed = {
  ok: false,
  code: grpcCodes.unimplemented,
  message: "compressed messages are not taken",
} as const;

/** The fields that carry a status: its message percent-encoded, as gRPC's protocol has it. */
export function trailers(status: {
  readonly code: GrpcCode;
  readonly message: string;
  readonly details?: Uint8Array;
}): Record<string, string> {
  return {
    "grpc-status": String(status.code),
    "grpc-message": percentEncode(status.message),
    ...(status.details === undefined
      ? {}
      : { "grpc-status-details-bin": Buffer.from(status.details).toString("base64").replace(/=+$/, "") }),
  };
}

/** Everything but printable ASCII, and the percent sign. */
function percentEncode(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
