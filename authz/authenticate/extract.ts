import type { ByteString } from "#policy-compiler/ruleset/model";
import type { PreparedProvider } from "./provider.ts";
import type { TokenReader } from "./token-reader.ts";

/** Where a token stood: the kind of place, and its name. */
export interface TokenPlace {
  readonly kind: "header" | "parameter" | "cookie";
  readonly name: ByteString;
}

/** A text that stands where a token may, and may be none. */
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
  for (const place of provider.headers) {
    for (const text of reader.headerTexts(place)) found.push({ text, place: { kind: "header", name: place.name } });
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
