import { parseSpiffeId } from "#identity/spiffe-id";
import { type DeniedCertificate, DenyList } from "./deny-list.ts";
import { denyListText, denyListVersion } from "./deny-list-text.ts";
import { mostDenyListBytes } from "./encode-deny-list.ts";

export type DecodedDenyList =
  | { readonly ok: true; readonly list: DenyList }
  /** `fault`: one sentence without a full stop, never a text of the list. */
  | { readonly ok: false; readonly fault: string };

/**
 * The list that these bytes say. Strict: only the bytes that `encodeDenyList` writes of a list are one, so that a list has one text and one signature. Never
 * throws; at most `mostDenyListBytes` are looked at, about 2 µs for a certificate.
 */
export function decodeDenyList(bytes: Uint8Array): DecodedDenyList {
  if (bytes.length > mostDenyListBytes)
    return failed(`expected at most ${mostDenyListBytes} bytes, found ${bytes.length}`);
  const text = textOf(bytes);
  const json = text === undefined ? undefined : parse(text);
  if (json === undefined) return failed("expected a list as JSON, found none");
  const { certificates, identities, issuedMillis, sequence, trustDomain, version } = json;
  if (version !== denyListVersion) return failed(`expected a list of version ${denyListVersion}, found another`);
  if (typeof trustDomain !== "string" || !isTrustDomain(trustDomain)) return failed("the trust domain is none");
  if (!isCount(sequence)) return failed("the sequence is no number from 0 on");
  if (!isCount(issuedMillis)) return failed("the time of issue is none");
  const denied = readCertificates(certificates);
  if (denied === undefined) return failed("a certificate is no SHA-256 with its end");
  if (!isIdentities(identities, trustDomain)) return failed("an identity is no SPIFFE ID of the trust domain");
  const list = new DenyList({ trustDomain, sequence, issuedMillis, certificates: denied, identities });
  return denyListText(list) === text ? { ok: true, list } : failed("the list is not in its canonical form");
}

function failed(fault: string): DecodedDenyList {
  return { ok: false, fault };
}

/** Of what is UTF-8, the one text that has these bytes. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // The decoder throws on anything else.
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? { ...json } : undefined;
  } catch {
    return undefined; // No JSON, or nested without end.
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTrustDomain(text: string): boolean {
  const parsed = parseSpiffeId(`spiffe://${text}`);
  return parsed.ok && parsed.id.path === "";
}

function readCertificates(value: unknown): readonly DeniedCertificate[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const denied: DeniedCertificate[] = [];
  for (const item of value) {
    if (!Array.isArray(item)) return undefined;
    const [fingerprint, endsMillis] = item as readonly unknown[];
    if (typeof fingerprint !== "string" || !/^[0-9a-f]{64}$/.test(fingerprint)) return undefined;
    if (endsMillis !== undefined && !isCount(endsMillis)) return undefined;
    denied.push({ fingerprint, endsMillis });
  }
  return denied;
}

function isIdentities(value: unknown, trustDomain: string): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  return value.every((text: unknown) => {
    const parsed = typeof text === "string" ? parseSpiffeId(text) : undefined;
    return parsed?.ok === true && parsed.id.trustDomain === trustDomain && parsed.id.path !== "";
  });
}
