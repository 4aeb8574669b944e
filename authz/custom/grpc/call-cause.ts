import { status } from "@grpc/grpc-js";

/** How grpc-js begins what it says itself of a call that never reached the provider, and what is said of it. */
const causes: readonly (readonly [code: status, message: RegExp, cause: string])[] = [
  [status.DEADLINE_EXCEEDED, /^Deadline exceeded after /, "no answer in time"],
  [status.UNAVAILABLE, /^Name resolution failed /, "the name could not be resolved"],
  [status.UNAVAILABLE, /^No connection established\..*\bECONNREFUSED\b/s, "connection refused"],
  [status.UNAVAILABLE, /^No connection established\..*\bENOENT\b/s, "no such socket"],
  [status.UNAVAILABLE, /^No connection established\..*\bEACCES\b/s, "permission denied"],
  [status.UNAVAILABLE, /^No connection established\..*\b(?:EHOSTUNREACH|ENETUNREACH)\b/s, "no way to the address"],
  [status.UNAVAILABLE, /^No connection established\..*\b(?:certificate|altnames)\b/s, "its certificate is not trusted"],
  [status.UNAVAILABLE, /^No connection established\./, "no connection"],
];

/** Why a call ended, as far as grpc-js knows; undefined: it does not, or the provider ended it. Says nothing that `details` says. */
export function causeOf(code: status, details: string): string | undefined {
  return causes.find(([ofCode, message]) => ofCode === code && message.test(details))?.[2];
}
