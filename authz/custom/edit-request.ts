import type { EditedRequest } from "#authz/engine/edited-request";
import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import { isToken, staysOnLine } from "#policy-compiler/ruleset/header-text";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { editQuery } from "./query.ts";

type Pair = readonly [name: ByteString, value: ByteString];

/** What a provider that allows wants changed in the request. */
export interface RequestEdits {
  readonly set: readonly Pair[];
  readonly append: readonly Pair[];
  readonly remove: readonly ByteString[];
  readonly setQuery: readonly Pair[];
  readonly removeQuery: readonly ByteString[];
}

/** The edited request, or why it would be none. */
export type EditResult =
  | { readonly ok: true; readonly request: EditedRequest }
  /** The request would be malformed: Envoy answers it with a 503 of its own before it reaches the upstream. */
  | { readonly ok: false; readonly fault: string };

/**
 * A copy of the request with a provider's edits, as Envoy's ext_authz filter makes them (`Filter::onComplete`). ORDER: set, append, remove, query.
 * Of several that set one name the last counts. Appended is to the first line, behind a comma (cookies: `; `), and only where there is one. `host` is
 * `:authority`; neither it nor a pseudo header is ever removed.
 */
export function editRequest(received: EditedRequest, edits: RequestEdits): EditResult {
  const request = received.copy();
  for (const [given, value] of edits.set) {
    const name = fieldName(given);
    const fault = fieldFault(name, value);
    if (fault !== undefined) return { ok: false, fault };
    setField(request, name, value);
  }
  for (const [given, value] of edits.append) {
    const name = fieldName(given);
    const fault = fieldFault(name, value);
    if (fault !== undefined) return { ok: false, fault };
    appendField(request, name, value);
  }
  for (const given of edits.remove) {
    const name = fieldName(given);
    if (isToken(name)) request.remove(name);
  }
  for (const [name, value] of edits.setQuery) {
    if (/[\0-\x20\x7f]/.test(name + value))
      return { ok: false, fault: "a query parameter with a blank or control character" };
  }
  request.target = editQuery(request.target, edits.setQuery, edits.removeQuery);
  return { ok: true, request };
}

function fieldName(given: ByteString): ByteString {
  const name = toAsciiLowerCase(given);
  return name === "host" ? ":authority" : name;
}

const pseudoHeaders: ReadonlySet<string> = new Set([":authority", ":method", ":scheme"]);

function setField(request: EditedRequest, name: ByteString, value: ByteString): void {
  if (name === ":path") request.target = value;
  // Envoy would carry others along, and write them to no upstream.
  else if (!name.startsWith(":") || pseudoHeaders.has(name)) request.set(name, [value]);
}

function appendField(request: EditedRequest, name: ByteString, value: ByteString): void {
  if (name === ":path") {
    request.target = joined(request.target, value, ",");
    return;
  }
  const [first, ...others] = request.lines(name);
  if (first === undefined || value === "") return;
  request.set(name, [joined(first, value, name === "cookie" ? "; " : ","), ...others]);
}

function joined(first: ByteString, value: ByteString, delimiter: string): ByteString {
  if (value === "") return first;
  return first === "" ? value : `${first}${delimiter}${value}`;
}

/** What Envoy does not write to an upstream: a name that is none, a value with a line break or a NUL. */
function fieldFault(name: ByteString, value: ByteString): string | undefined {
  if (!isToken(name.startsWith(":") ? name.slice(1) : name)) return "a header whose name is none";
  if (!staysOnLine(value)) return `header \`${name}\` with a line break or NUL in its value`;
  return undefined;
}
