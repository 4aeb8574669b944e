import type { ByteString, TextTest } from "#policy-compiler/ruleset/model";
import { isDots } from "./dots.ts";

/**
 * The four-way pattern on one value. A lone `*` is the regular expression `.+`: some text, no newline in it. Fields whose lone
 * `*` asks for presence alone (headers, hosts, methods) use `matchesPresent`.
 */
export function matchesText(test: TextTest, value: ByteString): boolean {
  return test.op === "present" ? value.length > 0 && isDots(value, 0, value.length) : matchesPattern(test, value);
}

/** The four-way pattern on one value that is there, however empty, when a lone `*` asks for no more. */
export function matchesPresent(test: TextTest, value: ByteString): boolean {
  return test.op === "present" || matchesPattern(test, value);
}

function matchesPattern(test: Exclude<TextTest, { op: "present" }>, value: ByteString): boolean {
  switch (test.op) {
    case "exact":
      return value === test.text;
    case "prefix":
      return value.startsWith(test.text);
    case "suffix":
      return value.endsWith(test.text);
  }
}

let lastReceived = "";
let lastFolded = "";

/**
 * ASCII letters in lower case, other bytes as they are.
 * PERF: remembers the last text, since every rule with hosts folds the same authority (`bench/decide.ts`, mesh).
 */
export function foldAscii(text: ByteString): ByteString {
  if (text === lastReceived) return lastFolded;
  let folded = text;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) {
      // Byte strings hold letters of Latin-1 too, which must not be folded: letter by letter.
      folded = text.slice(0, i);
      for (let j = i; j < text.length; j++) {
        const at = text.charCodeAt(j);
        folded += String.fromCharCode(at >= 0x41 && at <= 0x5a ? at + 32 : at);
      }
      break;
    }
  }
  lastReceived = text;
  lastFolded = folded;
  return folded;
}
