import { grpcCodes } from "#platform/grpc/codes";
import type { ResourceView, StreamRefusal } from "../contract.ts";
import type { DiscoveryAnswer } from "../messages/encode-response.ts";
import type { NameQuota } from "./name-quota.ts";
import type { NameRecords } from "./name-records.ts";
import type { Verdict } from "./sent-responses.ts";

/** Nonces of a stream: no two of its responses have the same, and none that another stream had. */
export interface Nonces {
  next(): { readonly nonce: string; readonly number: number };
}

export interface SubscriptionStart {
  readonly view: ResourceView;
  /** One resource in a response, as clients of secrets want it; else all that there are to send. */
  readonly separate: boolean;
  readonly nonces: Nonces;
  readonly quota: NameQuota;
}

/** What came of a request. */
export interface Taken {
  readonly verdicts: readonly Verdict[];
  /** Why the stream has to end. */
  readonly refusal: StreamRefusal | undefined;
}

/** What one stream asks for of one type, as a machine without a clock and without a wire (`R`: its requests). */
export interface Subscription<R> {
  readonly records: NameRecords;
  take(request: R, nowMillis: number): Taken;
  /** What the view answers may have become another. */
  changed(): void;
  /** The next response, made of what the view answers now; undefined: there is nothing to say. */
  next(): DiscoveryAnswer | undefined;
}

/** More names than may be kept. */
export const tooManyNames: StreamRefusal = {
  code: grpcCodes.resourceExhausted,
  message: "the stream asks for too many names",
};
