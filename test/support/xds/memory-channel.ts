import type { CallEnd, ClientStreamHandler, GrpcChannel } from "#platform/grpc/client-contract";
import type { StreamHandler, StreamMethods } from "#platform/grpc/contract";

/** A channel to methods of the same process, whose connection a test can break. Messages arrive in turns of their own. */
export interface MemoryChannel extends GrpcChannel {
  /** Ends what is open with UNAVAILABLE; what is opened until `mend` ends at once. */
  breakOff(): void;
  mend(): void;
  /** Streams that were opened so far. */
  opened(): number;
  /** The next message to a client is this instead. */
  garble(bytes: Uint8Array): void;
}

export function openMemoryChannel(streams: StreamMethods): MemoryChannel {
  const open = new Set<(end: CallEnd) => void>();
  let broken = false;
  let opened = 0;
  let garbled: Uint8Array | undefined;
  return {
    call: async () => ({ ok: false, end: { code: 12, message: "streams alone" } }),
    stream(path, client) {
      opened++;
      return connect(path, client);
    },
    close() {
      for (const end of [...open]) end({ code: 1, message: "closed" });
    },
    breakOff() {
      broken = true;
      for (const end of [...open]) end({ code: 14, message: "the connection broke" });
    },
    mend() {
      broken = false;
    },
    opened: () => opened,
    garble(bytes) {
      garbled = bytes;
    },
  };

  function connect(path: string, client: ClientStreamHandler) {
    let over = false;
    let server: StreamHandler | undefined;
    const end = (status: CallEnd) => {
      if (over) return;
      over = true;
      open.delete(end);
      server?.closed();
      setImmediate(() => client.ended(status));
    };
    open.add(end);
    const later = (run: () => void) => {
      setImmediate(() => {
        if (!over) run();
      });
    };
    const method = streams.get(path)!;
    later(() => {
      if (broken) {
        end({ code: 14, message: "nobody there" });
        return;
      }
      server = method({
        headers: () => [],
        connection: { clientCertificates: [], remoteAddress: "10.0.0.1", unixSocket: false },
        send(message) {
          const bytes = garbled ?? message;
          garbled = undefined;
          later(() => client.message(bytes));
          return true;
        },
        end,
      });
      client.opened?.();
    });
    return {
      send: (message: Uint8Array) => later(() => server?.message(message)),
      cancel: () => end({ code: 1, message: "cancelled" }),
    };
  }
}
