import type { KeySet } from "#identity/key-set/key-set";
import type { KeySource } from "#identity/key-set/key-source";

/**
 * What is known of a source's keys. `unfetched`: no document was had yet, and none of before: Istio then verifies with a key that
 * nobody has. `unusable`: a document came and no key in it can be used.
 */
export type KeyState =
  | { readonly kind: "keys"; readonly keys: KeySet }
  | { readonly kind: "unfetched" }
  | { readonly kind: "unusable" };

/** What is known of every source, at one instant. Immutable: a request pins it. */
export interface KeySets {
  /** A source that nobody follows is `unfetched`. */
  of(sourceId: string): KeyState;
}

/** For the status page: a source and how it fares. Times are Unix milliseconds. Never holds a key. */
export interface KeySourceStatus {
  /** For people: the URI, or the issuer; an inline set is named by its first rule. */
  readonly name: string;
  readonly kind: KeySource["kind"];
  readonly state: KeyState["kind"];
  readonly keys: readonly { readonly kty: string; readonly kid: string; readonly alg: string }[];
  /** The document in use came at; undefined: none did. */
  readonly fetchedMillis: number | undefined;
  readonly attemptedMillis: number | undefined;
  readonly nextMillis: number | undefined;
  readonly fault: { readonly code: string; readonly message: string; readonly atMillis: number } | undefined;
}

/** A document from the network, or why there is none. Never rejects. `fault.code` is one of a table of its own. */
export type FetchDocument = (
  uri: string,
  options: { readonly timeoutMillis: number; readonly signal: AbortSignal },
) => Promise<
  | { readonly ok: true; readonly text: string; readonly maxAgeSeconds?: number }
  | { readonly ok: false; readonly fault: { readonly code: string; readonly message: string } }
>;

/** Keeps the keys of all issuers fresh, ahead of the requests. No request ever waits for it. */
export interface KeySetStore {
  /**
   * From now on these sources, and no others: new ones are fetched at once, what is no longer named is forgotten after a while. Resolves
   * when every new source was attempted once, or after `patienceMillis`.
   */
  follow(sources: readonly KeySource[], patienceMillis: number): Promise<void>;
  current(): KeySets;
  /** Called after every change of `current()`. The result ends it. */
  onChange(listener: () => void): () => void;
  /** A token names a key that the set has not: refreshes, once for a burst, and not again for a `kid` that just proved unknown. Returns at once. */
  missed(sourceId: string, kid: string): void;
  /** Refreshes every source now, or one. */
  refresh(sourceId?: string): Promise<void>;
  status(): readonly KeySourceStatus[];
  stop(): Promise<void>;
}
