import type { ByteString, PathNormalization } from "#policy-compiler/ruleset/model";

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const PERCENT = 0x25;

/** What canonicalisation does with a byte: nothing, write it as an escape, undo its escape. */
const ESCAPED = 1;
const UNRESERVED = 2;
const bytes = byteTable();

/**
 * The request target in Envoy's normal form: path as `meshConfig.pathNormalization` says, query as it came. `undefined`: it
 * cannot be brought there (NUL), and Envoy answers 400.
 *
 * INVARIANT: idempotent in every mode, so that a target which Envoy has normalised comes back as it is (the same string).
 * But as Envoy's own way is not idempotent in one place, nor is this: it drops the parameters of `..;x` before it undoes escapes
 * and backslashes, and so makes a new `..;x` of `%2e%2e;x`, which a second round would take for what it looks like.
 *
 * Bytes in, bytes out; never a URL parser, which would take `//host/path` apart.
 *
 * Sources: Istio's four modes (`ProxyPathNormalization`); Envoy's `normalize_path`, `merge_slashes`,
 * `path_with_escaped_slashes_action` and the fragment rule. Cost: linear; one scan without allocation when nothing changes.
 */
export function normalizePath(target: ByteString, mode: PathNormalization): ByteString | undefined {
  const hash = target.indexOf("#");
  const whole = hash < 0 ? target : target.slice(0, hash);
  if (mode === "NONE") return whole;
  const mark = whole.indexOf("?");
  const end = mark < 0 ? whole.length : mark;
  // PERF: nearly every path is in normal form; the slow way below gives the same string (test/properties/check).
  if (needsNothing(whole, end, mode !== "BASE")) return whole;

  // ORDER: Envoy's. A separator that was escaped takes part in everything that follows; an escaped dot has no parameters.
  let path = whole.slice(0, end);
  if (mode === "DECODE_AND_MERGE_SLASHES") path = decodeSlashes(path);
  const canonical = canonicalize(dropDotParameters(path));
  if (canonical === undefined) return undefined;
  path = mode === "BASE" ? canonical : mergeSlashes(canonical);
  return mark < 0 ? path : path + whole.slice(mark);
}

/** The path part of a target: up to the first `?` or `#`. What `paths` are compared with. */
export function pathPart(target: ByteString): ByteString {
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c === 0x3f || c === 0x23) return target.slice(0, i);
  }
  return target;
}

/** True if it begins with a slash and holds no escape, backslash, byte to be escaped, dot segment, or (where merged) empty segment. */
function needsNothing(path: ByteString, end: number, merge: boolean): boolean {
  if (end === 0 || path.charCodeAt(0) !== SLASH) return false;
  let before = 0;
  for (let i = 0; i < end; i++) {
    const c = path.charCodeAt(i);
    if (c === PERCENT || c === BACKSLASH || bytes[c] === ESCAPED) return false;
    if (before === SLASH && (c === DOT || (merge && c === SLASH))) return false;
    before = c;
  }
  return true;
}

function decodeSlashes(path: ByteString): ByteString {
  return path.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
}

/** The parameters of a dot segment go, up to the next slash (a backslash is none yet): `/a/..;x/b` is `/a/../b`. */
function dropDotParameters(path: ByteString): ByteString {
  return path.includes(";") ? path.replace(/(\/\.\.?);[^/]*/g, "$1") : path;
}

/**
 * Envoy's canonical path. Escapes of unreserved characters are undone, others keep their case; backslashes become slashes;
 * `.` and `..` segments go, escaped dots too, and `..` takes the segment before it even if that is empty.
 */
function canonicalize(path: ByteString): ByteString | undefined {
  const out: number[] = [];
  // Where the last `%` stands in `out` that began no escape: what follows it may yet turn it into one.
  let lonePercent = -1;
  if (!isSlash(path, 0)) out.push(SLASH);

  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i);
    const dot = dotLength(path, i);
    if (dot > 0) {
      if (out[out.length - 1] !== SLASH) {
        out.push(DOT);
        i += dot - 1;
        continue;
      }
      const after = i + dot;
      if (endsSegment(path, after)) {
        i = after;
        continue;
      }
      const second = dotLength(path, after);
      if (second > 0 && endsSegment(path, after + second)) {
        dropLastSegment(out);
        if (lonePercent >= out.length) lonePercent = -1;
        i = after + second;
        continue;
      }
      out.push(DOT);
      i += dot - 1;
    } else if (c === BACKSLASH) {
      out.push(SLASH);
    } else if (c === PERCENT) {
      const value = escapeValue(path.charCodeAt(i + 1), path.charCodeAt(i + 2));
      if (value < 0) {
        lonePercent = out.length;
        out.push(PERCENT);
        continue;
      }
      if (value === 0) return undefined;
      if (bytes[value] === UNRESERVED) {
        out.push(value);
        i += 2;
        if (lonePercent >= 0 && lonePercent >= out.length - 3) breakNewEscape(out, lonePercent, path.charCodeAt(i + 1));
      } else {
        out.push(PERCENT, path.charCodeAt(i + 1), path.charCodeAt(i + 2));
        i += 2;
      }
    } else if (c === 0) {
      return undefined;
    } else if (bytes[c] === ESCAPED) {
      out.push(PERCENT, hexDigit(c >> 4), hexDigit(c & 15));
    } else {
      out.push(c);
    }
  }
  return text(out);
}

/**
 * A byte was just decoded behind a lone `%` (`%%30%30`, `%2%46`). If the two would now read as an escape that nobody wrote,
 * the `%` becomes `%25`. `next`: the input byte that follows (NaN at the end).
 */
function breakNewEscape(out: number[], lonePercent: number, next: number): void {
  const last = out[out.length - 1]!;
  if (lonePercent === out.length - 2) {
    if (escapeValue(last, next) < 0) return;
    out.splice(lonePercent + 1, 1, 0x32, 0x35, last);
  } else {
    const first = out[out.length - 2]!;
    if (escapeValue(first, last) < 0) return;
    out.splice(lonePercent + 1, 2, 0x32, 0x35, first, last);
  }
}

/** Removes the last segment of a text that ends in a slash, keeping the slash before it; at the root, nothing. */
function dropLastSegment(out: number[]): void {
  if (out.length === 1) return;
  let i = out.length - 2;
  while (i > 0 && out[i] !== SLASH) i--;
  out.length = i + 1;
}

/** Empty segments go; one slash at either end stays if there was one, each for itself: `//` stays `//`. */
function mergeSlashes(path: ByteString): ByteString {
  if (!path.includes("//")) return path;
  const merged = path.split("/").filter((segment) => segment !== "");
  return (path.startsWith("/") ? "/" : "") + merged.join("/") + (path.endsWith("/") ? "/" : "");
}

/** 1 for `.`, 3 for `%2e`, else 0. */
function dotLength(path: ByteString, at: number): number {
  const c = path.charCodeAt(at);
  if (c === DOT) return 1;
  return c === PERCENT && escapeValue(path.charCodeAt(at + 1), path.charCodeAt(at + 2)) === DOT ? 3 : 0;
}

function endsSegment(path: ByteString, at: number): boolean {
  return at >= path.length || isSlash(path, at);
}

function isSlash(path: ByteString, at: number): boolean {
  const c = path.charCodeAt(at);
  return c === SLASH || c === BACKSLASH;
}

/** The byte that two hexadecimal digits stand for, or -1. */
function escapeValue(high: number, low: number): number {
  const a = digitValue(high);
  const b = digitValue(low);
  return a < 0 || b < 0 ? -1 : a * 16 + b;
}

function digitValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x37 + value;
}

function text(out: readonly number[]): ByteString {
  if (out.length < 4096) return String.fromCharCode(...out);
  let whole = "";
  for (let i = 0; i < out.length; i += 4096) whole += String.fromCharCode(...out.slice(i, i + 4096));
  return whole;
}

function byteTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0; c < 256; c++) if (c <= 0x20 || c >= 0x7f) table[c] = ESCAPED;
  for (const c of '"#<>?^`{|}') table[c.charCodeAt(0)] = ESCAPED;
  for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
    table[c.charCodeAt(0)] = UNRESERVED;
  return table;
}
