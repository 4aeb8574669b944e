import type { CallEnd, ClientStream, GrpcChannel } from "#platform/grpc/client-contract";

/** A stream whose messages a test takes one after the other. */
export interface FollowedStream extends ClientStream {
  /** The next message, now or when it comes. Rejects when the call ends before. */
  next(): Promise<Uint8Array>;
  /** Messages that came and were not taken. */
  waiting(): number;
  readonly ended: Promise<CallEnd>;
}

export function followStream(channel: GrpcChannel, path: string): FollowedStream {
  const come: Uint8Array[] = [];
  const ended = Promise.withResolvers<CallEnd>();
  let wake = Promise.withResolvers<void>();
  let over = false;
  const stir = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const stream = channel.stream(path, {
    message(bytes) {
      come.push(bytes);
      stir();
    },
    ended(end) {
      over = true;
      ended.resolve(end);
      stir();
    },
  });
  return {
    ...stream,
    async next() {
      for (;;) {
        const message = come.shift();
        if (message !== undefined) return message;
        if (over) throw new Error(`the call ended: ${JSON.stringify(await ended.promise)}`);
        await wake.promise;
      }
    },
    waiting: () => come.length,
    ended: ended.promise,
  };
}
