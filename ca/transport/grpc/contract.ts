import type { DoorConnection } from "../connections.ts";
import type { GrpcCode } from "../refusal-status.ts";

/** One call, its message complete. */
export interface UnaryRequest {
  /** Not decoded yet. */
  readonly message: Uint8Array;
  /** The value of each field with this name (lower case), in their order, as they were sent. */
  headers(name: string): readonly string[];
  /** The connection that this very call came over. */
  readonly connection: DoorConnection;
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

/** By path: `/package.Service/Method`. */
export type UnaryMethods = ReadonlyMap<string, UnaryMethod>;
