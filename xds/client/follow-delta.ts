import { messageOf } from "#platform/coded-error";
import { cutText } from "#platform/cut-text";
import type { CallEnd, ClientStream, GrpcChannel } from "#platform/grpc/client-contract";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { DeltaUpdate } from "../contract.ts";
import { shownBytes } from "../limits.ts";
import { decodeDeltaResponse } from "../messages/decode-delta-response.ts";
import { encodeFirstRequest, encodeVerdict } from "../messages/encode-delta-request.ts";
import { createAcceptedVersions } from "./accepted-versions.ts";

/** What is said of an update: once, then or any time later. Verdicts reach the server in the order in which they are given. */
export interface Acknowledgement {
  /** It is in use: after a new connection it need not be sent again. */
  accept(): void;
  /** It is not taken, for this reason; what was accepted before stays in use. */
  reject(message: string): void;
}

export interface FollowDeltaStart {
  readonly channel: GrpcChannel;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly typeUrl: string;
  /** Names that are asked for; `*`: all. */
  readonly names: readonly string[];
  /** What the server shows this client as: `node.id`. */
  readonly node: string;
  /** Version by name of what is held from before, accepted. */
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly timers: Timers;
  /** From 0 up to 1, for jitter. */
  readonly chance: () => number;
  readonly log: Log;
  /** One that throws has rejected the update. The bytes are the receiver's. */
  readonly onUpdate: (update: DeltaUpdate, acknowledgement: Acknowledgement) => void;
  /** The server has taken the stream: what changes from now on is told. */
  readonly onConnected?: () => void;
  /** The stream ended, or could not be begun; it is tried again. */
  readonly onDisconnected?: (end: CallEnd) => void;
}

/** How long it is waited before a stream is begun again: the first time, at most, and from a third of it up to all of it by chance, so that a thousand clients do not come at once. */
const reconnectMillis = { first: 500, most: 15_000 } as const;
/** A stream that lasted so long is a good one: the next is begun after the first time again. */
const settledMillis = 10_000;

/**
 * Follows resources by the delta protocol until it is closed: connects again whenever the stream ends, and tells the server what was accepted, so that only differences are sent. Nothing is
 * called once it is closed.
 */
export function followDelta(start: FollowDeltaStart): { close(): void } {
  const { channel, path, typeUrl, names, node, timers, chance, log } = start;
  const accepted = createAcceptedVersions(start.initialVersions);
  let current: ClientStream | undefined;
  let closed = false;
  let delayMillis: number = reconnectMillis.first;
  let stopTimer: () => void = () => undefined;

  const connect = () => {
    const stream = channel.stream(path, {
      opened() {
        if (closed) return;
        stopTimer = timers.after(settledMillis, settle);
        start.onConnected?.();
      },
      message: (bytes) => receive(bytes, stream),
      ended,
    });
    current = stream;
    stream.send(encodeFirstRequest({ node, typeUrl, names, initialVersions: accepted.versions() }));
  };
  const settle = () => {
    delayMillis = reconnectMillis.first;
  };
  const ended = (end: CallEnd) => {
    if (closed) return;
    current = undefined;
    stopTimer();
    stopTimer = timers.after(delayMillis * (1 / 3 + (chance() * 2) / 3), connect);
    delayMillis = Math.min(2 * delayMillis, reconnectMillis.most);
    start.onDisconnected?.(end);
  };
  const receive = (bytes: Uint8Array, stream: ClientStream) => {
    if (closed) return;
    const response = decodeDeltaResponse(bytes);
    if (response === undefined) {
      log.warn({ path }, "a server of discovery sends what is no response");
      stream.cancel();
      return;
    }
    const update = accepted.receive(response);
    // Where the stream is over, nobody hears it: the update comes again on the next one.
    const tell = (rejection: string | undefined) => stream.send(encodeVerdict(typeUrl, response.nonce, rejection));
    let answered = false;
    const once = (say: () => void) => {
      if (answered || closed) return;
      answered = true;
      say();
    };
    const acknowledgement: Acknowledgement = {
      accept: () =>
        once(() => {
          accepted.accept(update);
          tell(undefined);
        }),
      reject: (message) => once(() => tell(cutText(message, shownBytes.message))),
    };
    const other = [...response.typeUrls].find((url) => url !== typeUrl);
    if (other !== undefined) {
      acknowledgement.reject(`this is no ${typeUrl}`);
      return;
    }
    settle();
    try {
      start.onUpdate({ resources: response.resources, removed: response.removed }, acknowledgement);
    } catch (defect) {
      log.error({ err: defect, path, fault: messageOf(defect) }, "an update could not be used");
      acknowledgement.reject("the update could not be used");
    }
  };

  connect();
  return {
    close() {
      if (closed) return;
      closed = true;
      stopTimer();
      current?.cancel();
    },
  };
}
