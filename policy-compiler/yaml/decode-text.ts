import type { Finding } from "#policy-compiler/source/diagnostic";

/** The text of a file, or the reason why there is none. */
export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly finding: Finding };

/**
 * Decodes UTF-8 strictly (a byte order mark in front is dropped) and refuses the characters that YAML forbids, or that
 * YAML 1.1 readers take for line breaks where YAML 1.2 does not: a file must not have two meanings.
 */
export function decodeText(file: string, bytes: Uint8Array): DecodedText {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse(file, "yaml/encoding", 0, "expected UTF-8, found bytes that are not");
  }
  const offset = findForbidden(text);
  if (offset === undefined) return { ok: true, text };
  const codePoint = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, "0");
  return refuse(file, "yaml/character", offset, `expected printable text, found the character U+${codePoint}`);
}

function refuse(file: string, code: "yaml/encoding" | "yaml/character", offset: number, message: string): DecodedText {
  return { ok: false, finding: { code, message, file, span: { start: offset, end: offset } } };
}

/** Offset of the first character that must not stand in a file, if any. */
function findForbidden(text: string): number | undefined {
  for (let offset = 0; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit === 0x0a || unit === 0x09) continue;
    if (unit === 0x0d && text.charCodeAt(offset + 1) === 0x0a) continue;
    if (unit > 0x9f && unit !== 0x2028 && unit !== 0x2029 && unit !== 0xfeff && unit < 0xfffe) continue;
    return offset;
  }
  return undefined;
}
