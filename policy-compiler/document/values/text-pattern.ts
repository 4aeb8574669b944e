import { toAsciiLowerCase, toByteString } from "#policy-compiler/ruleset/byte-string";
import type { TextTest } from "#policy-compiler/ruleset/model";

/**
 * Istio's four-way string pattern. A lone `*` is presence, with the meaning that the field gives it; a leading star means a
 * suffix, else a trailing star means a prefix, else the text is compared whole. Any other star is literal. Total.
 */
export function parseTextPattern(text: string): TextTest {
  if (text === "*") return { op: "present" };
  if (text.startsWith("*")) return { op: "suffix", text: toByteString(text.slice(1)) };
  if (text.endsWith("*")) return { op: "prefix", text: toByteString(text.slice(0, -1)) };
  return { op: "exact", text: toByteString(text) };
}

/** The pattern of `hosts`: hosts are compared without regard to ASCII case, so that the test is lower case. */
export function parseHostPattern(text: string): TextTest {
  return parseTextPattern(toAsciiLowerCase(text));
}
