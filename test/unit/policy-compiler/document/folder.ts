import { type DecodedFolder, decodeDocuments } from "#policy-compiler/document/decode-documents";
import { diagnosticCodes } from "#policy-compiler/source/codes";
import type { CompileOptions } from "#policy-compiler/source/source-file";

/** Decodes files given as text. */
export function decodeFolder(files: Readonly<Record<string, string>>, options: CompileOptions = {}): DecodedFolder {
  const encoder = new TextEncoder();
  const sources = Object.entries(files).map(([path, text]) => ({ path, bytes: encoder.encode(text) }));
  return decodeDocuments(sources, options);
}

/** Each finding as `severity code "underlined text"`, in order. */
export function summaries({ findings, texts }: DecodedFolder): readonly string[] {
  return findings.map(({ code, file, span }) => {
    const underlined = texts.get(file)?.slice(span.start, span.end) ?? "";
    return `${diagnosticCodes[code].severity} ${code} ${JSON.stringify(underlined)}`;
  });
}
