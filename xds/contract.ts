import type { GrpcCode } from "#platform/grpc/codes";
import type { CallHead } from "#platform/grpc/contract";

/** One resource as it is now. Immutable. PERF: who hands out the same object for the same content has it encoded once for all streams. */
export interface Resource {
  /** As it is asked for. */
  readonly name: string;
  /** Names the content: the same for the same content, on whatever replica. Printable ASCII. */
  readonly version: string;
  /** The encoded message: the value of an Any of the type's URL. */
  readonly body: Uint8Array;
}

/** Why a stream ends, or is not begun. */
export interface StreamRefusal {
  readonly code: GrpcCode;
  /** One line. */
  readonly message: string;
}

/** Who opened a stream, as the door knows. */
export interface IdentifiedCaller<C> {
  readonly caller: C;
  /** For the status page. */
  readonly text: string;
  /** SHA-256 of its certificate, hex; undefined: it has none. */
  readonly fingerprint: string | undefined;
}

/** Says who makes a call, by its connection: nothing of the call itself is believed. A promise that rejects is INTERNAL, its reason in the log alone. */
export type CallerOf<C> = (
  call: CallHead,
) => IdentifiedCaller<C> | StreamRefusal | Promise<IdentifiedCaller<C> | StreamRefusal>;

/** What one caller may have of one type of resources. */
export interface ResourceView {
  /** Undefined: there is none now, or none for this caller, which are not told apart. Cheap: asked for each name at each change. */
  lookUp(name: string): Resource | undefined;
  /** Names that a wildcard subscription stands for now. */
  wildcard(): readonly string[];
  /** Why the caller may have nothing any more (its certificate ended, it was revoked); undefined: it may. Asked at each request and each change, and once a minute. */
  ended(): StreamRefusal | undefined;
  /** `changed` is called after anything that the others answer may have become another. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
}

/** One type of resources, of which each caller (`C`: what the door knows of it) has a view of its own. */
export interface ResourceType<C> {
  /** `type.googleapis.com/…`. */
  readonly typeUrl: string;
  /** A refusal: the caller may have nothing of this type. */
  open(caller: C): ResourceView | StreamRefusal;
  /** Hears what clients say of the resources that they were sent. For metrics, logs, and whoever waits until all have one. */
  readonly observe?: (event: StreamEvent) => void;
}

/** What a client said of a resource. */
export interface StreamEvent {
  readonly kind: "acknowledged" | "rejected";
  readonly stream: StreamStatus;
  readonly name: string;
  readonly version: string;
  /** Of a rejection: the client's own words, cut to 1 KiB and made one line. */
  readonly message: string | undefined;
}

/** One stream, for the status page. Of what a client says of itself nothing is believed, and every text is cut. */
export interface StreamStatus {
  readonly id: number;
  readonly typeUrl: string;
  readonly variant: "state-of-the-world" | "delta";
  /** Who it is, as the door knows. */
  readonly caller: string;
  /** SHA-256 of its certificate, hex; undefined: it has none. */
  readonly fingerprint: string | undefined;
  /** `node.id`, as the client gave it. */
  readonly node: string;
  readonly sinceMillis: number;
  readonly names: readonly NameStatus[];
  /** So many names are not listed. */
  readonly leftOut: number;
}

export interface NameStatus {
  readonly name: string;
  /** The version that was sent last; undefined: there was none to send yet. */
  readonly sent: string | undefined;
  readonly acknowledged: string | undefined;
  readonly acknowledgedAtMillis: number | undefined;
  /** What was rejected last and not replaced by an acknowledged one since. */
  readonly rejected: { readonly version: string; readonly message: string; readonly atMillis: number } | undefined;
}

/** An update as a client of the delta protocol gets it. */
export interface DeltaUpdate {
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
}
