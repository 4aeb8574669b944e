import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The token of a header line; undefined: the line has no such prefix. The prefix may stand anywhere; the token begins with the next character
 * that a token can have and goes on to the end of the line. Without such a character the line as a whole is taken, which is no token and so
 * refused. Envoy: extractor.cc.
 */
export function behindPrefix(line: ByteString, prefix: ByteString): ByteString | undefined {
  const at = line.indexOf(prefix);
  if (at < 0) return undefined;
  for (let i = at + prefix.length; i < line.length; i++) if (isTokenCode(line.charCodeAt(i))) return line.slice(i);
  return line;
}

/** `A-Z a-z 0-9 - _ .` */
function isTokenCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f
  );
}
