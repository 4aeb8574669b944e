import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The first value of every wanted parameter of a target's query, percent-decoded (`+` stays). A parameter without `=` has the empty value.
 * Envoy: common/http, utility.cc. Cost: linear in the target.
 */
export function firstParameters(
  target: ByteString,
  wanted: ReadonlySet<ByteString>,
): ReadonlyMap<ByteString, ByteString> {
  const found = new Map<ByteString, ByteString>();
  for (const piece of pieces(target)) {
    const name = nameIn(piece);
    if (wanted.has(name) && !found.has(name)) found.set(name, valueIn(piece));
  }
  return found;
}

/**
 * The target without any occurrence of a parameter, however its name is written.
 *
 * DIVERGENCE: every other byte stays, in its place. Envoy writes the rest anew from its decoded form, sorted by name and without encoding it
 * again, so that `a=%26admin=1` becomes a second parameter.
 */
export function cutParameter(target: ByteString, name: ByteString): ByteString {
  const all = pieces(target);
  const kept = all.filter((piece) => nameIn(piece) !== name);
  if (kept.length === all.length) return target;
  const path = target.slice(0, target.indexOf("?"));
  return kept.every((piece) => piece === "") ? path : `${path}?${kept.join("&")}`;
}

/** What stands between the ampersands; nothing behind the last one is no piece. */
function pieces(target: ByteString): readonly ByteString[] {
  const start = target.indexOf("?");
  if (start < 0) return [];
  const all = target.slice(start + 1).split("&");
  if (all.at(-1) === "") all.pop();
  return all;
}

function nameIn(piece: ByteString): ByteString {
  const equal = piece.indexOf("=");
  return percentDecode(equal < 0 ? piece : piece.slice(0, equal));
}

function valueIn(piece: ByteString): ByteString {
  const equal = piece.indexOf("=");
  return equal < 0 ? "" : percentDecode(piece.slice(equal + 1));
}

/** Two hexadecimal digits behind a `%` are a byte; any other `%` is itself. */
function percentDecode(text: ByteString): ByteString {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
