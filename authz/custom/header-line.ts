import { isToken, staysOnLine } from "#policy-compiler/ruleset/header-text";
import type { ByteString } from "#policy-compiler/ruleset/model";

/** Can a line be written as it stands (RFC 9110 §5.1, §5.5)? A pseudo header is none. */
export function isHeaderLine(name: ByteString, value: ByteString): boolean {
  return isToken(name) && staysOnLine(value);
}
