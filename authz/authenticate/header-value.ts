import type { ByteString } from "#policy-compiler/ruleset/model";

/** May a header have this value? Control characters but the tab may not stand in one (RFC 9110 §5.5); Envoy refuses to send them. */
export function isHeaderValue(value: ByteString): boolean {
  for (let i = 0; i < value.length; i++) if (isControl(value.charCodeAt(i))) return false;
  return true;
}

/** The value without what no header may have. */
export function toHeaderValue(value: ByteString): ByteString {
  return isHeaderValue(value) ? value : [...value].filter((byte) => !isControl(byte.charCodeAt(0))).join("");
}

function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09) || code === 0x7f;
}
