import type { ServerHttp2Stream } from "node:http2";
import { createGunzip, createInflate, type Gunzip, type Inflate } from "node:zlib";
import type { CallRoom } from "#platform/grpc/call-room";
import { receiveLimitBytes } from "../listener.ts";

/** What a stream brought: the one message of a unary call, not decoded; or why it has none that can be decided on. */
export type ReceivedMessage =
  | { readonly ok: true; readonly message: Uint8Array }
  | { readonly ok: false; readonly reason: "request/too-large" | "request/unreadable"; readonly detail: string };

/** A byte that tells whether the message is compressed, and four of its length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const headBytes = 5;
/** An Envoy has the whole of a check before it sends the first of it. */
const arrivalMillis = 15_000;

/**
 * Reads the one message of a call. `done` is called once, when the client has said everything, or what it says is longer than `receiveLimitBytes`, has no room any more, or takes too long; never where the
 * stream broke before. `room`: of all messages of a listener that come in several pieces, held until the stream is gone.
 * PERF: a message that came in one piece, as nearly all do, is not copied: it is a part of what was read from the connection.
 */
export function readMessage(
  stream: ServerHttp2Stream,
  encoding: string | undefined,
  room: CallRoom,
  done: (received: ReceivedMessage) => void,
): void {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let sizeBytes = 0;
  let takenBytes = 0;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const letGo = () => {
    clearTimeout(timer);
    room.giveBack(takenBytes);
    takenBytes = 0;
  };
  const giveUp = (received: ReceivedMessage) => {
    over = true;
    first = more = undefined;
    letGo();
    done(received);
  };
  const begin = (begun: Buffer) => {
    timer = setTimeout(() => giveUp(unreadable("the message did not arrive in time")), arrivalMillis);
    stream.once("close", letGo);
    return [begun];
  };
  stream.on("data", (chunk: Buffer) => {
    if (over) return;
    sizeBytes += chunk.length;
    if (first === undefined) {
      first = chunk;
      return;
    }
    more ??= begin(first);
    if (sizeBytes > receiveLimitBytes + headBytes) giveUp(tooLarge(`more than ${receiveLimitBytes} bytes`));
    else if (!room.take(sizeBytes - takenBytes)) giveUp(tooLarge("too many messages are on their way at once"));
    else {
      takenBytes = sizeBytes;
      more.push(chunk);
    }
  });
  stream.on("end", () => {
    clearTimeout(timer);
    if (over || stream.aborted) return;
    const body = more === undefined ? first : Buffer.concat(more, sizeBytes);
    if (body === undefined || body.length < headBytes) return done(unreadable("there is no message"));
    const end = headBytes + body.readUInt32BE(1);
    if (body.length !== end)
      return done(unreadable(body.length < end ? "the message is cut off" : "there is more than one message"));
    const message = body.subarray(headBytes);
    if (body[0] === 0) done({ ok: true, message });
    else unpack(message, body[0] === 1 ? encoding : undefined, done);
  });
}

/** A client may compress what it sends, unasked. What comes out is bounded as what comes in is. */
function unpack(packed: Uint8Array, encoding: string | undefined, done: (received: ReceivedMessage) => void): void {
  const unpacking = unpackers[encoding ?? ""]?.();
  if (unpacking === undefined) {
    done(unreadable("the message is compressed in a way that is not known"));
    return;
  }
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  let settled = false;
  const settle = (received: ReceivedMessage) => {
    if (settled) return;
    settled = true;
    unpacking.destroy();
    done(received);
  };
  unpacking.on("data", (piece: Buffer) => {
    sizeBytes += piece.length;
    pieces.push(piece);
    if (sizeBytes > receiveLimitBytes) settle(tooLarge(`more than ${receiveLimitBytes} bytes when unpacked`));
  });
  unpacking.on("error", () => settle(unreadable("the message cannot be unpacked")));
  unpacking.on("end", () => settle({ ok: true, message: Buffer.concat(pieces, sizeBytes) }));
  unpacking.end(packed);
}

/** By the value of `grpc-encoding`. */
const unpackers: Readonly<Record<string, () => Gunzip | Inflate>> = {
  gzip: () => createGunzip(),
  deflate: () => createInflate(),
};

function tooLarge(detail: string): ReceivedMessage {
  return { ok: false, reason: "request/too-large", detail };
}

function unreadable(detail: string): ReceivedMessage {
  return { ok: false, reason: "request/unreadable", detail };
}
