import { isToken, staysOnLine } from "#policy-compiler/ruleset/header-text";
import type { CheckAnswer, HeaderEdit } from "./check-answer.ts";

/** Headers, names, body and metadata of one answer together, in characters. Envoy takes 60 KiB of request headers by default. */
export const MAX_ANSWER_LENGTH = 256 * 1024;

/**
 * May Envoy be asked to send this status? It sends any of sixteen bits as it stands, also those that its enumeration of statuses lacks: an
 * extension provider may have chosen it. 0 would be its own 403.
 */
export function isClientStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 1 && status <= 0xffff;
}

/**
 * Why an answer cannot be written as it stands, or undefined. An answer with a fault is never sent: an allowing one becomes a
 * denial, a denying one loses its headers, body and metadata (`encodeCheckResponse`). Whoever records what was
 * answered asks this first.
 */
export function answerFault(answer: CheckAnswer): string | undefined {
  let length = answer.body.length;
  for (const [key, value] of answer.metadata) length += key.length + value.length;
  const lists: readonly (readonly HeaderEdit[])[] = answer.allowed
    ? [answer.setHeaders, answer.responseHeaders]
    : [answer.clientHeaders];
  for (const list of lists) {
    for (const { name, value } of list) {
      if (!isHeaderName(name)) return "a header to set has a name that is no HTTP header name";
      if (!staysOnLine(value))
        return `the value of header ${name} holds a line break, a NUL, or a character that is no byte`;
      length += name.length + value.length;
    }
  }
  if (answer.allowed && answer.removeHeaders.length > 0) {
    const set = new Set(answer.setHeaders.map(({ name }) => name.toLowerCase()));
    for (const name of answer.removeHeaders) {
      if (!isHeaderName(name)) return "a header to remove has a name that is no HTTP header name";
      if (set.has(name.toLowerCase())) return `header ${name} is to be set and to be removed`;
      length += name.length;
    }
  }
  if (length > MAX_ANSWER_LENGTH) return `the answer is longer than ${MAX_ANSWER_LENGTH} characters`;
  return undefined;
}

/** A token (RFC 9110 §5.6.2), or one of the pseudo headers of a request, which Envoy lets an answer set. */
function isHeaderName(name: string): boolean {
  return isToken(name) || /^:(?:path|method|scheme|authority)$/.test(name);
}
