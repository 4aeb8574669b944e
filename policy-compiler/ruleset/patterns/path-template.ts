import type { ByteString } from "../model.ts";
import { type Gap, matchGlobs } from "./globs.ts";

/**
 * A URI template on a whole path (Envoy: URI template path matcher, as Istio fills it). `{*}`: one or more characters of a
 * class; `{**}`: zero or more of that class and `/`. Literals compare byte for byte.
 */
export type TemplateMatcher = (path: ByteString) => boolean;

const classBytes = (() => {
  const flags = new Uint8Array(256);
  const members = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()+,;:@=*";
  for (let i = 0; i < members.length; i++) flags[members.charCodeAt(i)] = 1;
  return flags;
})();

const SLASH = 0x2f;
const segmentGap: Gap = { min: 1, holds: (text, at) => classBytes[text.charCodeAt(at)] === 1 };
const pathGap: Gap = {
  min: 0,
  holds: (text, at) => text.charCodeAt(at) === SLASH || classBytes[text.charCodeAt(at)] === 1,
};

/** Where the next byte stands, from a place on, that no glob matches; the length of the path if none does. */
export type NextOdd = (path: ByteString, at: number) => number;

/**
 * Makes the matcher of a template. Linear in the path for every template that Istio's validation lets pass. `nextOdd`: the one
 * that remembers the path of the last call, or `nextOddAfresh`, which keeps nothing.
 */
export function templateMatcher(
  pieces: readonly ByteString[],
  globs: readonly ("*" | "**")[],
  nextOdd: NextOdd = nextOddRemembered,
): TemplateMatcher {
  if (isStraight(pieces, globs)) return (path) => matchesStraight(path, pieces, globs, nextOdd);
  const gaps = globs.map((glob) => (glob === "*" ? segmentGap : pathGap));
  return (path) => matchGlobs(path, pieces, gaps);
}

let lastPath = "";
let lastOdd: readonly number[] = [];

/** Looks again each time: cost up to the length of the path for each glob. */
export function nextOddAfresh(path: ByteString, at: number): number {
  let end = at;
  while (end < path.length && pathGap.holds(path, end)) end++;
  return end;
}

/**
 * PERF: the bytes of a path are looked at once, not once a rule: a path of 60 KB against a thousand templates would hold the
 * event loop for half a second (`test/integration/hostile`). The plain version is `segmentGap` and `pathGap`, which `matchGlobs` uses.
 */
function nextOddRemembered(path: ByteString, at: number): number {
  if (path !== lastPath) {
    const odd: number[] = [];
    for (let i = 0; i < path.length; i++) if (!pathGap.holds(path, i)) odd.push(i);
    lastPath = path;
    lastOdd = odd;
  }
  let low = 0;
  for (let high = lastOdd.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (lastOdd[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return lastOdd[low] ?? path.length;
}

/**
 * Is there never a choice? `{*}` before a slash or the end runs to the next slash or the end; `{**}` is the last glob, so that
 * it runs to the last literal.
 */
function isStraight(pieces: readonly ByteString[], globs: readonly ("*" | "**")[]): boolean {
  return globs.every((glob, i) => {
    const last = i === globs.length - 1;
    const after = pieces[i + 1] ?? "";
    return glob === "**" ? last : after.charCodeAt(0) === SLASH || (last && after === "");
  });
}

function matchesStraight(
  path: ByteString,
  pieces: readonly ByteString[],
  globs: readonly ("*" | "**")[],
  nextOdd: NextOdd,
): boolean {
  const first = pieces[0] ?? "";
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (let i = 0; i < globs.length; i++) {
    const literal = pieces[i + 1] ?? "";
    if (globs[i] === "**") {
      const end = path.length - literal.length;
      return end >= at && path.endsWith(literal) && nextOdd(path, at) >= end;
    }
    const slash = path.indexOf("/", at);
    const end = Math.min(slash < 0 ? path.length : slash, nextOdd(path, at));
    if (end === at || !path.startsWith(literal, end)) return false;
    at = end + literal.length;
  }
  return at === path.length;
}
