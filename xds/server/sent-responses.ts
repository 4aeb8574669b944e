import { cutText } from "#platform/cut-text";
import { shownBytes } from "../limits.ts";
import type { ErrorDetail } from "../messages/decode-request.ts";
import type { NameRecord } from "./name-record.ts";

/** One resource of a response. */
export interface SentItem {
  readonly record: NameRecord;
  readonly version: string;
}

/** A response that was sent. */
export interface SentResponse {
  /** Counts up within the stream. */
  readonly number: number;
  /** Of the whole. */
  readonly version: string;
  readonly items: readonly SentItem[];
  /** The client has said something of it: the first word counts. */
  answered: boolean;
}

/** What a client said of one resource. */
export interface Verdict {
  readonly kind: "acknowledged" | "rejected";
  readonly name: string;
  readonly version: string;
  readonly message: string | undefined;
}

/** More than there are names: of those that a client does not answer the oldest are forgotten. */
const spare = 16;

/** Responses by their nonces, for as long as something may be said of them. */
export class SentResponses {
  readonly #byNonce = new Map<string, SentResponse>();

  has(nonce: string): boolean {
    return this.#byNonce.has(nonce);
  }

  get(nonce: string): SentResponse | undefined {
    return this.#byNonce.get(nonce);
  }

  /** `names`: so many the stream has. */
  add(nonce: string, response: SentResponse, names: number): void {
    this.#byNonce.set(nonce, response);
    if (this.#byNonce.size <= 2 * names + spare) return;
    for (const oldest of this.#byNonce.keys()) {
      this.#byNonce.delete(oldest);
      return;
    }
  }

  forget(nonce: string): void {
    this.#byNonce.delete(nonce);
  }

  clear(): void {
    this.#byNonce.clear();
  }
}

/**
 * Notes what a client says of a response. A rejection is of all resources in it which the client has not acknowledged before (of all, if it has): which one it means is not said. A client
 * that changes what it asks for names the nonce once more, without the error: so the first word counts.
 */
export function noteAnswer(response: SentResponse, error: ErrorDetail | undefined, nowMillis: number): Verdict[] {
  if (response.answered) return [];
  response.answered = true;
  if (error === undefined) {
    return response.items.map(({ record, version }) => {
      record.acknowledge(version, response.number, nowMillis);
      return { kind: "acknowledged", name: record.name, version, message: undefined };
    });
  }
  const message = cutText(error.message, shownBytes.message);
  const suspects = response.items.filter(({ record, version }) => record.acknowledged !== version);
  return (suspects.length === 0 ? response.items : suspects).map(({ record, version }) => {
    record.reject(version, response.number, message, nowMillis);
    return { kind: "rejected", name: record.name, version, message };
  });
}
