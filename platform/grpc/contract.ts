import type { DoorConnection } from "#platform/door/connections";
import type { GrpcCode } from "#platform/grpc/codes";

/** What is known of a call when its headers have come. */
export interface CallHead {
  /** The value of each field with this name (lower case), in their order, as they were sent. */
  headers(name: string): readonly string[];
  /** The connection that this very call came over. */
  readonly connection: DoorConnection;
}

/** One call, its message complete. */
export interface UnaryRequest extends CallHead {
  /** Not decoded yet. */
  readonly message: Uint8Array;
}

export type UnaryAnswer =
  | { readonly ok: true; readonly message: Uint8Array }
  | {
      readonly ok: false;
      readonly code: GrpcCode;
      /** One line. */
      readonly message: string;
      /** An encoded google.rpc.Status, for clients that read details. */
      readonly details?: Uint8Array;
    };

/** Answers a call. A promise that rejects becomes INTERNAL, and the reason goes to the log alone. */
export type UnaryMethod = (request: UnaryRequest) => UnaryAnswer | Promise<UnaryAnswer>;

/** A status that ends a call: `message` is one line. */
export interface GrpcStatus {
  readonly code: GrpcCode;
  readonly message: string;
}

/** A call of any number of messages, one way or both ways, as its server sees it. */
export interface StreamCall extends CallHead {
  /** Sends one message. False: it waits for the client, and nothing more should be sent until `drained`. Does nothing once the call is over. */
  send(message: Uint8Array): boolean;
  /** Ends the call, after what was sent; `closed` is called at once, or, from within the method itself, when that has returned. Does nothing once it is over. */
  end(status: GrpcStatus): void;
}

/** What a server does with such a call. None of these is called after `closed`. */
export interface StreamHandler {
  /** One message of the client, complete, not decoded; its bytes are the handler's. */
  message(bytes: Uint8Array): void;
  /** The client sends no more. */
  finished(): void;
  /** What was sent is on its way: more may be. */
  drained(): void;
  /** The call is over, whoever ended it. Once, and last. */
  closed(): void;
}

/** Takes a call when its headers have come. Where one of the handler's verbs throws, the call ends with INTERNAL, and the reason goes to the log alone. */
export type StreamMethod = (call: StreamCall) => StreamHandler;

/** By path: `/package.Service/Method`. */
export type StreamMethods = ReadonlyMap<string, StreamMethod>;

/** By path: `/package.Service/Method`. */
export type UnaryMethods = ReadonlyMap<string, UnaryMethod>;

/** What a door serves. */
export interface GrpcMethods {
  readonly unary: UnaryMethods;
  readonly streams: StreamMethods;
}
