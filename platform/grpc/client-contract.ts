import type { Address } from "#platform/address";
import type { GrpcStatus } from "./contract.ts";

/** What TLS of a client is made with. All PEM. */
export interface ChannelTls {
  /** Who may have issued the server's certificate; nobody else. */
  readonly rootsPem: string;
  /** The name that the server's certificate must have; undefined: the address's host. */
  readonly serverName: string | undefined;
  /** Leaf and intermediates, and the key; undefined: the client shows none. */
  readonly client: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** Says what is wrong with the server's leaf (DER), beside what TLS has verified; undefined: nothing. */
  readonly serverFault: (leafDer: Uint8Array) => string | undefined;
}

export interface ChannelStart {
  readonly address: Address;
  /** Undefined: plain text, for addresses of this machine. */
  readonly tls: ChannelTls | undefined;
  /** An idle connection is pinged so often; one that does not answer until the next time is given up. */
  readonly keepaliveMillis: number;
}

/** The end of a call: code 0, or what went wrong. A connection that cannot be made or broke is UNAVAILABLE. */
export interface CallEnd extends Omit<GrpcStatus, "code"> {
  /** Any code of gRPC. */
  readonly code: number;
}

export type UnaryResult =
  | { readonly ok: true; readonly message: Uint8Array }
  | { readonly ok: false; readonly end: CallEnd };

export interface ClientStream {
  /** Sends one message; kept until it can be sent. Does nothing once the call is over. */
  send(message: Uint8Array): void;
  /** Gives the call up; `ended` is called with CANCELLED (1). */
  cancel(): void;
}

export interface ClientStreamHandler {
  /** The server has taken the call: it is connected. Not called where it refuses at once. */
  opened?(): void;
  message(bytes: Uint8Array): void;
  /** Once, and last. */
  ended(end: CallEnd): void;
}

/** A connection to a gRPC server, made when it is needed and made again when it broke; messages are bytes. Other credentials need another channel. */
export interface GrpcChannel {
  /** Never rejects. `metadata`: names in lower case. */
  call(
    path: string,
    message: Uint8Array,
    options: { readonly metadata: Readonly<Record<string, string>>; readonly deadlineMillis: number },
  ): Promise<UnaryResult>;
  stream(path: string, handler: ClientStreamHandler): ClientStream;
  /** Calls under way end with UNAVAILABLE or CANCELLED. */
  close(): void;
}
