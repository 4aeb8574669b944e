import { cutText } from "#platform/cut-text";
import { shownBytes } from "../limits.ts";
import type { ErrorDetail } from "../messages/decode-request.ts";
import type { NameRecord } from "./name-record.ts";
import type { NameRecords } from "./name-records.ts";

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

/** Responses by their nonces, for as long as something may be said of them. What they brought is remembered as long. */
export class SentResponses {
  readonly #byNonce = new Map<string, SentResponse>();
  readonly #records: NameRecords;

  constructor(records: NameRecords) {
    this.#records = records;
  }

  get(nonce: string): SentResponse | undefined {
    return this.#byNonce.get(nonce);
  }

  add(nonce: string, response: SentResponse): void {
    for (const { record } of response.items) record.unanswered++;
    this.#byNonce.set(nonce, response);
    if (this.#byNonce.size <= 2 * this.#records.size + spare) return;
    for (const oldest of this.#byNonce.keys()) {
      this.forget(oldest);
      return;
    }
  }

  forget(nonce: string): void {
    const response = this.#byNonce.get(nonce);
    if (response === undefined) return;
    this.#byNonce.delete(nonce);
    if (!response.answered) this.#release(response);
  }

  clear(): void {
    for (const nonce of this.#byNonce.keys()) this.forget(nonce);
  }

  /**
   * Notes what a client says of a response. A rejection is of all resources in it which the client has not acknowledged before (of all, if it has): which one it means is not said. A client
   * that changes what it asks for names the nonce once more, without the error: so the first word counts.
   */
  answer(response: SentResponse, error: ErrorDetail | undefined, nowMillis: number): Verdict[] {
    if (response.answered) return [];
    response.answered = true;
    const verdicts = error === undefined ? acknowledge(response, nowMillis) : reject(response, error, nowMillis);
    this.#release(response);
    return verdicts;
  }

  #release({ items }: SentResponse): void {
    for (const { record } of items) {
      record.unanswered--;
      this.#records.release(record);
    }
  }
}

function acknowledge({ items, number }: SentResponse, nowMillis: number): Verdict[] {
  return items.map(({ record, version }) => {
    record.acknowledge(version, number, nowMillis);
    return { kind: "acknowledged", name: record.name, version, message: undefined };
  });
}

function reject({ items, number }: SentResponse, error: ErrorDetail, nowMillis: number): Verdict[] {
  const message = cutText(error.message, shownBytes.message);
  const suspects = items.filter(({ record, version }) => record.acknowledged !== version);
  return (suspects.length === 0 ? items : suspects).map(({ record, version }) => {
    record.reject(version, number, message, nowMillis);
    return { kind: "rejected", name: record.name, version, message };
  });
}
