import type { ByteString } from "#policy-compiler/ruleset/model";

/** Can a line be written as it stands (RFC 9110 §5.1, §5.5)? The name is in lower case and no pseudo header. */
export function isHeaderLine(name: ByteString, value: ByteString): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) && !/[\0\r\n]/.test(value);
}
