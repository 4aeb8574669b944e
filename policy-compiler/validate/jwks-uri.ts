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
  const [, bracketed, name, port] = /^(?:(\[.*\])|([^:]*))(?::(.*))?$/s.exec(host) ?? [];
  if (bracketed === undefined && name === undefined)
    return refuse("one port at most, and brackets around an IPv6 address");
  if (port !== undefined && !/^[0-9]*$/.test(port)) return refuse("a decimal port");
  if (Number(port ?? "") > Number.MAX_SAFE_INTEGER) return refuse("a decimal port");
  if (bracketed !== undefined) {
    return /^\[[0-9A-Fa-f:.]+(?:%25.+)?\]$/s.test(bracketed) ? { ok: true } : refuse("an IPv6 address in brackets");
  }
  return isHost(name ?? "") ? { ok: true } : refuse("a host of plain characters");
}

/** Go takes sub-delimiters and a few marks in a host, bytes beyond ASCII as they are or escaped, and no other escape. */
function isHost(name: string): boolean {
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]|%[89A-Fa-f][0-9A-Fa-f])*$/u.test(name);
}

function hasValidEscapes(text: string): boolean {
  return /^(?:[^%]|%[0-9A-Fa-f]{2})*$/s.test(text);
}
