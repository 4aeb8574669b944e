import type { HttpCheckResponse } from "#authz/check/contract";
import { framingHeaders } from "#authz/check/framing-headers";
import { isHeaderValue, isToken } from "#policy-compiler/ruleset/header-text";

/** Node's flat list of raw names and values as pairs: wire case, every line, bytes as Latin-1. */
export function rawHeaders(flat: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
  return pairs;
}

/** An answer in the form that Node writes: headers as a flat list, so that repeated names stay apart; the body with its length. */
export interface SendableAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

/**
 * Makes an answer that can be written whatever it holds. INVARIANT: only 200 allows (Envoy ext_authz, HTTP service), so that an
 * answer which is not 200 never becomes one; a status outside of 200-499 becomes 403. A header that would break the message is
 * left out, and turns an allowing answer into a denial: what it was to tell the upstream may have mattered.
 */
export function sendable(answer: HttpCheckResponse): SendableAnswer {
  const headers: string[] = [];
  let whole = true;
  for (const [name, value] of answer.headers) {
    if (isToken(name) && isHeaderValue(value) && !framingHeaders.has(name.toLowerCase())) headers.push(name, value);
    else whole = false;
  }
  if (!whole && answer.status === 200) return withLength(403, [], "");
  const status = answer.status >= 200 && answer.status < 500 ? answer.status : 403;
  return withLength(status, headers, answer.body);
}

function withLength(status: number, headers: string[], text: string): SendableAnswer {
  const body = Buffer.from(text, "utf8");
  // RFC 9110 §15.3.5, §15.4.5: these have no content.
  if (status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) };
  return { status, headers: [...headers, "content-length", String(body.length)], body };
}
