import type { FaultCode } from "./fault-codes.ts";

/**
 * An operation that failed for a reason that another part of the program, or an operator, can act on. `message` is one line,
 * lower case, without a final stop. The cause is for logs: it never crosses the wire.
 */
export class CodedError extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "CodedError";
    this.code = code;
  }
}

/** The message of anything that was thrown, as one line; of a fault of OpenSSL its reason alone, without numbers and places in OpenSSL's source. */
export function messageOf(thrown: unknown): string {
  const { library, reason } = Object(thrown) as { readonly library?: unknown; readonly reason?: unknown };
  const isOpenSsl = typeof library === "string" && typeof reason === "string";
  const text = isOpenSsl ? reason : thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim();
}
