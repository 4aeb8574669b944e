import type { KnownEntry, OpeningRequest } from "#ca/store/sqlite/opening";
import type { Call } from "#ca/store/sqlite/operations";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";

/** What the thread is started with. */
export type StartRequest = OpeningRequest;

/** To the thread. `batch`: one transaction. */
export type Request =
  | { readonly kind: "batch"; readonly calls: readonly Call[] }
  | { readonly kind: "backup"; readonly file: string }
  | { readonly kind: "close" };

/** A fault on its way between threads. Without a code: a defect. */
export interface SentFault {
  readonly code: FaultCode | undefined;
  readonly message: string;
}

/** From the thread. */
export type Reply =
  | { readonly kind: "opened"; readonly abandoned: readonly string[]; readonly last: KnownEntry }
  | { readonly kind: "not-opened"; readonly fault: SentFault }
  | {
      readonly kind: "batch";
      /** One for each call. */
      readonly values: readonly unknown[];
      /** Calls that failed, by their place. */
      readonly faults: readonly (readonly [place: number, fault: SentFault])[];
      /** Why the disk did not take what was to be written; undefined: it did, or nothing was to be. */
      readonly writeFault: SentFault | undefined;
      /** Was something written? */
      readonly wrote: boolean;
      /** Where the log ends now. */
      readonly last: KnownEntry;
    }
  | { readonly kind: "backup"; readonly fault: SentFault | undefined }
  | { readonly kind: "closed" };

export function sentFault(thrown: unknown): SentFault {
  return { code: thrown instanceof CodedError ? thrown.code : undefined, message: messageOf(thrown) };
}

export function receivedFault({ code, message }: SentFault): Error {
  return code === undefined ? new Error(message) : new CodedError(code, message);
}
