import { parseIpAddress } from "#policy-compiler/ruleset/ip-address";

export type UriParse = { readonly ok: true } | { readonly ok: false; readonly expected: string };

const httpScheme: UriParse = { ok: false, expected: "an address that begins with `http://` or `https://`" };

/**
 * Judges a `jwksUri` as Istio does: Go's `net/url.Parse` and its scheme, which must be http or https. Host and path may be
 * missing, and `http:anything` passes; a port that is no number, a bad escape or a control character do not.
 */
export function parseHttpUri(text: string): UriParse {
  if (hasControl(text.split("#", 1)[0] ?? "")) return refuse("an address without control characters");
  const [, scheme, afterScheme] = /^([A-Za-z][A-Za-z0-9+.-]*):([^#]*)/s.exec(text) ?? [];
  if (scheme === undefined || afterScheme === undefined || !/^https?$/i.test(scheme)) return httpScheme;
  const hash = text.indexOf("#");
  if (hash !== -1 && !hasValidEscapes(text.slice(hash + 1))) return refuse("complete `%` escapes");
  const beforeQuery = afterScheme.split("?", 1)[0] ?? "";
  if (!beforeQuery.startsWith("/")) return { ok: true };
  const [, authority, path] = /^(?:\/\/([^/]*))?(.*)$/s.exec(beforeQuery) ?? [];
  if (!hasValidEscapes(path ?? "")) return refuse("complete `%` escapes");
  return authority === undefined ? { ok: true } : parseAuthority(authority);
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\x7f");
}

function refuse(expected: string): UriParse {
  return { ok: false, expected };
}

function parseAuthority(authority: string): UriParse {
  const at = authority.lastIndexOf("@");
  const userInfo = authority.slice(0, Math.max(at, 0));
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userInfo)) return refuse("plain characters before `@`");
  if (!hasValidEscapes(userInfo)) return refuse("complete `%` escapes");
  const host = authority.slice(at + 1);
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) return refuse("brackets around the whole of an IPv6 address");
  if (bracket === 0) return parseBracketed(host);
  const [name = "", port, ...others] = host.split(":");
  if (others.length > 0) return refuse("one port at most, and brackets around an IPv6 address");
  return isHost(name) ? checkPort(port ?? "") : refuse("a host of plain characters");
}

function parseBracketed(host: string): UriParse {
  const [, address = "", zone, port] = /^\[([^%]*)(?:%25(.*))?\](?::(.*))?$/s.exec(host) ?? [];
  if (parseIpAddress(address)?.length !== 16) return refuse("an IPv6 address in brackets");
  if (zone !== undefined && !isZone(zone)) return refuse("a zone of plain characters");
  return checkPort(port ?? "");
}

/** Go reads the number later, into 64 bits. */
function checkPort(port: string): UriParse {
  return /^[0-9]*$/.test(port) && BigInt(port) < 2n ** 63n ? { ok: true } : refuse("a decimal port");
}

/** Go takes sub-delimiters and a few marks in a host, characters beyond ASCII as they are or escaped, and `%25`. */
function isHost(name: string): boolean {
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]|%(?:[89A-Fa-f][0-9A-Fa-f]|25))*$/u.test(name);
}

/** An escape in a zone must stand for a space, a percent sign, or what could stand there as it is. */
function isZone(zone: string): boolean {
  if (zone === "" || !hasValidEscapes(zone)) return false;
  const plain = zone
    .replace(/%25|%20/g, "")
    .replace(/%([0-7][0-9A-Fa-f])/g, (_, hex) => String.fromCharCode(Number(`0x${hex}`)));
  return !plain.includes("%") && isHost(plain);
}

function hasValidEscapes(text: string): boolean {
  return /^(?:[^%]|%[0-9A-Fa-f]{2})*$/s.test(text);
}
