/** Is it a token (RFC 9110 §5.6.2), as names of headers and methods are, in either case? */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** May a header have this value on a connection: bytes, none of them a control character but the tab (RFC 9110 §5.5)? Codecs refuse to send others. */
export function isHeaderValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value);
}

/**
 * May a gRPC answer to Envoy, or an edit that a provider asks for, hold this value: bytes, none of which ends it (CR, LF, NUL: RFC 9110
 * §5.5)? Less is asked than of what goes onto a connection of ours. A character beyond Latin-1 could become one of the three where it is cut to a byte.
 */
export function staysOnLine(value: string): boolean {
  return !/[\0\r\n\u0100-\uffff]/.test(value);
}
