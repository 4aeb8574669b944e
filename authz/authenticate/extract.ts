import type { ByteString } from "#policy-compiler/ruleset/model";
import type { PreparedProvider } from "./provider.ts";
import type { TokenReader } from "./token-reader.ts";

export interface TokenPlace {
  readonly kind: "header" | "parameter" | "cookie";
  readonly name: ByteString;
}

export interface FoundToken {
  readonly text: ByteString;
  readonly place: TokenPlace;
}

/**
 * Every token that a provider finds, each header line one, whether it looks like a token or not. ORDER: Envoy's list; it verifies from its end.
 * Envoy: extractor.cc.
 */
export function extractTokens(provider: PreparedProvider, reader: TokenReader): readonly FoundToken[] {
  const found: FoundToken[] = [];
  for (const { name, prefix } of provider.headers) {
    for (const line of reader.lines(name)) {
      const text = prefix === "" ? line : behindPrefix(line, prefix);
      if (text !== undefined) found.push({ text, place: { kind: "header", name } });
    }
  }
  for (const name of provider.parameters) {
    const text = reader.parameter(name);
    if (text !== undefined) found.push({ text, place: { kind: "parameter", name } });
  }
  for (const name of provider.cookies) {
    const text = reader.cookie(name);
    if (text !== undefined) found.push({ text, place: { kind: "cookie", name } });
  }
  return found;
}

/**
 * The prefix may stand anywhere; the token begins with the next character that a token can have and goes on to the end of the line. Without
 * such a character the line as a whole is taken, which is no token and so refused.
 */
function behindPrefix(line: ByteString, prefix: ByteString): ByteString | undefined {
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
