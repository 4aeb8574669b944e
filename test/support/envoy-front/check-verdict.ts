import { messageIn, messagesIn, numberIn, readFields, textIn, textsIn, type WireField } from "./protobuf.ts";

/** An edit of one header; `append`: joined to a line that is there. */
export interface HeaderOption {
  readonly name: string;
  readonly value: string;
  readonly append: boolean;
  readonly keepEmpty: boolean;
}

/** What Envoy understands a CheckResponse to say. `error`: it could not be used; the filter fails closed. */
export type Verdict =
  | {
      readonly kind: "allow";
      readonly headers: readonly HeaderOption[];
      readonly remove: readonly string[];
      readonly setQuery: readonly (readonly [name: string, value: string])[];
      readonly removeQuery: readonly string[];
    }
  | { readonly kind: "deny"; readonly status: number; readonly headers: readonly HeaderOption[]; readonly body: string }
  | { readonly kind: "error"; readonly reason: string };

/**
 * Reads a CheckResponse as Envoy does: code 0 allows, also without an answer or with the wrong one; any other denies, with
 * 403 where no status is said; bytes that do not parse are an error, and so is an `error_response` to a denial.
 */
export function readVerdict(response: Uint8Array): Verdict {
  try {
    const fields = readFields(response);
    const code = numberIn(messageIn(fields, 1), 1);
    return code === 0 ? allowed(messageIn(fields, 3)) : denied(fields);
  } catch (fault) {
    return { kind: "error", reason: fault instanceof Error ? fault.message : String(fault) };
  }
}

function allowed(ok: readonly WireField[] | undefined): Verdict {
  return {
    kind: "allow",
    headers: headerOptions(ok, 2),
    remove: textsIn(ok, 5),
    setQuery: messagesIn(ok ?? [], 7).map((parameter) => [textIn(parameter, 1), textIn(parameter, 2)]),
    removeQuery: textsIn(ok, 8),
  };
}

function denied(fields: readonly WireField[]): Verdict {
  // A oneof: the member that stands last on the wire counts.
  const member = fields.findLast((field) => field.number === 2 || field.number === 3 || field.number === 5)?.number;
  if (member === 5) return { kind: "error", reason: "error_response" };
  const answer = member === 2 ? messageIn(fields, 2) : undefined;
  const status = answer === undefined ? 0 : numberIn(messageIn(answer, 1), 1);
  return {
    kind: "deny",
    status: status === 0 ? 403 : status,
    headers: headerOptions(answer, 2),
    body: textIn(answer, 3),
  };
}

function headerOptions(fields: readonly WireField[] | undefined, number: number): readonly HeaderOption[] {
  return messagesIn(fields ?? [], number).map((option) => {
    const header = messageIn(option, 1);
    return {
      name: textIn(header, 1),
      value: textIn(header, 2),
      append: numberIn(messageIn(option, 2), 1) !== 0,
      keepEmpty: numberIn(option, 4) !== 0,
    };
  });
}
