import { type Maybe, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * What Envoy is told to send beside each check, one formatter a name, in brackets: gRPC as `initial_metadata`, HTTP as
 * `headers_to_add`. A client cannot write gRPC metadata, and headers in brackets replace the client's.
 */
export const attributeNames = {
  peer: "x-garita-peer",
  remote: "x-garita-remote",
  tls: "x-garita-tls",
  uris: "x-garita-uris",
  dns: "x-garita-dns",
  subject: "x-garita-subject",
  fingerprint: "x-garita-fingerprint",
  issuer: "x-garita-issuer",
} as const;

/** Every name that is ours begins so. A client's own headers of such names are never read and never reach the upstream. */
export const OUR_PREFIX = "x-garita-";

/** Node joins repeated HTTP/2 fields so: two bracketed values in one text. */
const REPEATED = "], [";

/**
 * One attribute that Envoy sent in brackets. Unknown unless there is exactly one value and it has both brackets: a bare
 * formatter that comes out empty sends nothing, and a name sent twice is nobody's word. `[]`: absent.
 * Text that is no byte string is unknown.
 */
export function readBracketed(values: readonly string[]): Maybe<ByteString> {
  if (values.length !== 1) return UNKNOWN;
  const text = values[0]!;
  if (text.length < 2 || text.charCodeAt(0) !== 0x5b || text.charCodeAt(text.length - 1) !== 0x5d) return UNKNOWN;
  if (text.length === 2) return undefined;
  for (let i = 1; i < text.length - 1; i++) if (text.charCodeAt(i) > 0xff) return UNKNOWN;
  return text.includes(REPEATED) ? UNKNOWN : text.slice(1, -1);
}
