import { type GrpcCode, grpcCodes } from "#platform/grpc/codes";

const frameHeadBytes = 5;

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
  if (body[0] !== 0) return { ok: false, code: grpcCodes.unimplemented, message: "compressed messages are not taken" };
  const end = frameHeadBytes + body.readUInt32BE(1);
  if (body.length < end) return invalid("the message is cut off");
  if (body.length > end) return invalid("there is more than one message");
  return { ok: true, message: body.subarray(frameHeadBytes) };
}

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
