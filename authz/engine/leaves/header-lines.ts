import type { HeaderLines } from "#authz/engine/attributes";
import type { ByteString, TextTest } from "#policy-compiler/ruleset/model";
import { FALSE, or, TRUE, type Truth, UNSURE } from "../kleene.ts";
import { matchesPresent } from "./text.ts";

/** A header leaf: some line passes. Absent: false. A lone `*` asks for presence, also of an empty line. */
export function testHeader(test: TextTest, header: HeaderLines | undefined): Truth {
  if (header === undefined) return FALSE;
  let result: Truth = FALSE;
  for (const line of header.lines) {
    const one = header.joined ? testJoined(test, line) : matchesPresent(test, line) ? TRUE : FALSE;
    if (one === TRUE) return TRUE;
    result = or(result, one);
  }
  return result;
}

/**
 * A leaf on lines that were joined: true if it holds under every way to split the text at commas, false if under none.
 *
 * Envoy joins with a bare comma and keeps empty lines; a line is trimmed over HTTP/1.1 and not over HTTP/2, so a piece is taken
 * as it stands, and `a, b` has no line `b` either way. With a comma in the text there are two extreme ways, all of it one line
 * and each piece a line. What both allow:
 * - exact: only one of them can hold (a text with commas is no piece), so never true;
 * - prefix without comma: the first line begins as the text does in every way; with comma: no single piece begins so;
 * - suffix: the same from the end.
 * It is possible when it occurs where a line can begin and end: at commas and at the ends.
 *
 * With more commas than `COMMAS` the text is not looked through: it is unsure, so that a client cannot make every rule read tens
 * of thousands of pieces.
 */
export function testJoined(test: TextTest, text: ByteString): Truth {
  if (test.op === "present") return TRUE;
  if (!text.includes(",")) return matchesPresent(test, text) ? TRUE : FALSE;
  if (matchesPresent(test, text) && !test.text.includes(",")) return TRUE;
  return occursAtCommas(test.op, test.text, text) ? UNSURE : FALSE;
}

/** Commas of one joined text that are tried as ends of lines. */
const COMMAS = 128;

/** True where it may occur. Cost: bounded by `COMMAS` comparisons with `wanted`. */
function occursAtCommas(op: "exact" | "prefix" | "suffix", wanted: ByteString, text: ByteString): boolean {
  if (op === "suffix") {
    let tried = 0;
    for (let end = text.length; end >= 0; end = end === 0 ? -1 : text.lastIndexOf(",", end - 1)) {
      if (tried++ > COMMAS || text.endsWith(wanted, end)) return true;
    }
    return false;
  }
  let tried = 0;
  for (let start = 0; ; ) {
    if (tried++ > COMMAS) return true;
    if (text.startsWith(wanted, start)) {
      const end = start + wanted.length;
      if (op === "prefix" || end === text.length || text.charCodeAt(end) === 0x2c) return true;
    }
    const comma = text.indexOf(",", start);
    if (comma < 0) return false;
    start = comma + 1;
  }
}
