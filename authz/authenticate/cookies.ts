import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The first cookie of every wanted name. Blanks before a name are dropped, one pair of quotes around a value too; everything else is part of
 * them. Envoy: common/http, utility.cc. Cost: linear in the lines.
 */
export function firstCookies(
  lines: readonly ByteString[],
  wanted: ReadonlySet<ByteString>,
): ReadonlyMap<ByteString, ByteString> {
  const found = new Map<ByteString, ByteString>();
  for (const line of lines) {
    for (const piece of line.split(";")) {
      const equal = piece.indexOf("=");
      if (equal < 0) continue;
      const name = piece.slice(leadingBlanks(piece), equal);
      if (wanted.has(name) && !found.has(name)) found.set(name, unquote(piece.slice(equal + 1)));
    }
  }
  return found;
}

function leadingBlanks(text: ByteString): number {
  let count = 0;
  while (text[count] === " ") count++;
  return count;
}

function unquote(value: ByteString): ByteString {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
