import type { ByteString } from "#policy-compiler/ruleset/model";
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

/** Makes the matcher of a template. Linear in the path for every template that Istio's validation lets pass. */
export function templateMatcher(pieces: readonly ByteString[], globs: readonly ("*" | "**")[]): TemplateMatcher {
  if (isStraight(pieces, globs)) return (path) => matchesStraight(path, pieces, globs);
  const gaps = globs.map((glob) => (glob === "*" ? segmentGap : pathGap));
  return (path) => matchGlobs(path, pieces, gaps);
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

function matchesStraight(path: ByteString, pieces: readonly ByteString[], globs: readonly ("*" | "**")[]): boolean {
  const first = pieces[0] ?? "";
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (let i = 0; i < globs.length; i++) {
    const literal = pieces[i + 1] ?? "";
    if (globs[i] === "**") {
      const end = path.length - literal.length;
      if (end < at || !path.endsWith(literal)) return false;
      for (; at < end; at++) if (!pathGap.holds(path, at)) return false;
      return true;
    }
    const start = at;
    while (segmentGap.holds(path, at)) at++;
    if (at === start || !path.startsWith(literal, at)) return false;
    at += literal.length;
  }
  return at === path.length;
}
