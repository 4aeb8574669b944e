import { X509Certificate } from "node:crypto";
import { LRUCache } from "lru-cache";
import { detach } from "#authz/check/detach";
import { type Maybe, UNKNOWN } from "#authz/engine/attributes";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";

/** The names in a certificate, in its own order. `subject`: as Envoy prints it; unknown where we cannot be sure to print alike. */
export interface CertificateNames {
  readonly uris: readonly ByteString[];
  readonly dns: readonly ByteString[];
  readonly subject: Maybe<ByteString>;
}

const UNREADABLE = Symbol("unreadable");

// PERF: reading a certificate costs about 0.1 ms, and a peer sends the same one with each request.
const cache = new LRUCache<ByteString, CertificateNames | typeof UNREADABLE>({
  max: 2000,
  maxSize: 8 << 20,
  maxEntrySize: 64 << 10,
  sizeCalculation: (_names, text) => 2 * text.length + 500,
});

/**
 * The names in the certificate of `source.certificate` (PEM, percent-encoded). Nothing is verified: whether the names count
 * is for `readPeer` to say. Undefined: no certificate, or one that cannot be read. Never throws.
 */
export function readCertificate(encoded: ByteString): CertificateNames | undefined {
  if (encoded === "") return undefined;
  const known = cache.get(encoded);
  if (known !== undefined) return known === UNREADABLE ? undefined : known;
  const names = parse(encoded);
  cache.set(detach(encoded), names ?? UNREADABLE);
  return names;
}

function parse(encoded: ByteString): CertificateNames | undefined {
  try {
    const certificate = new X509Certificate(decodeURIComponent(encoded));
    const names = parseAltNames(certificate.subjectAltName ?? "");
    return names && { ...names, subject: printSubject(certificate.subject ?? "") };
  } catch {
    // Either library function throws on text that is not what it expects; then there is no certificate to believe.
    return undefined;
  }
}

/**
 * Node's list of alternative names, `URI:spiffe://a, DNS:"a\u002cb"`: names with characters that could be mistaken stand in
 * JSON quotes, byte by byte. Undefined when it does not read as such a list.
 */
function parseAltNames(list: string): { uris: ByteString[]; dns: ByteString[] } | undefined {
  const names = { uris: [] as ByteString[], dns: [] as ByteString[] };
  let at = 0;
  while (at < list.length) {
    const colon = list.indexOf(":", at);
    if (colon < 0) return undefined;
    const kind = list.slice(at, colon);
    let end: number;
    let value: string;
    if (list[colon + 1] === '"') {
      end = closingQuote(list, colon + 2) + 1;
      if (end === 0) return undefined;
      value = JSON.parse(list.slice(colon + 1, end));
    } else {
      const comma = list.indexOf(", ", colon);
      end = comma < 0 ? list.length : comma;
      value = list.slice(colon + 1, end);
    }
    if (end < list.length && !list.startsWith(", ", end)) return undefined;
    if (kind === "URI") names.uris.push(value);
    else if (kind === "DNS") names.dns.push(value);
    at = end + 2;
  }
  return names;
}

function closingQuote(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

/** Attribute names that OpenSSL (Node) and BoringSSL (Envoy) print alike. */
const commonAttributes = new Set(["C", "CN", "DC", "GN", "L", "O", "OU", "SN", "ST", "UID", "emailAddress", "title"]);

/**
 * Node prints a subject one name a line, first to last, in UTF-8; Envoy prints RFC 2253: last to first, commas between, bytes
 * beyond ASCII as `\XX`. Escapes of the other characters are the same in both.
 */
function printSubject(lines: string): Maybe<ByteString> {
  if (lines === "") return undefined;
  const names: string[] = [];
  for (const line of lines.split("\n")) {
    // Names of one set stand between ` + `; a plus sign in a value is escaped, so it never stands behind a space there.
    const parts = line.split(" + ");
    for (const part of parts) {
      if (!commonAttributes.has(part.slice(0, part.indexOf("=")))) return UNKNOWN;
    }
    names.push(parts.reverse().join("+"));
  }
  return toByteString(names.reverse().join(",")).replace(
    /[\x80-\xff]/g,
    (byte) => `\\${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
