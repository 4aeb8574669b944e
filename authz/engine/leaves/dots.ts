import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * What RE2's `.` matches: any byte but a newline. Envoy reads subjects as Latin-1, so that bytes that are no UTF-8 escape no rule
 * (CVE-2026-73552; before that fix they matched nothing, and every `not` rule let them through). A negated class (`[^/]`) takes
 * newlines too.
 */
export function isDot(text: ByteString, at: number): boolean {
  return at < text.length && text.charCodeAt(at) !== 0x0a;
}

/** Does `.*` match the text from `start` to `end`, all of it? */
export function isDots(text: ByteString, start: number, end: number): boolean {
  const newline = text.indexOf("\n", start);
  return newline < 0 || newline >= end;
}
