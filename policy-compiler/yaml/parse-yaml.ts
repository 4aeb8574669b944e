import type { Finding, Span } from "#policy-compiler/source/diagnostic";
import type { SourceFile } from "#policy-compiler/source/source-file";
import { decodeText } from "./decode-text.ts";
import { yamlLimits } from "./limits.ts";
import { readSimple } from "./read-simple.ts";
import { readWithLibrary } from "./read-with-library.ts";
import { findCrowdedMarker, splitDocuments } from "./split-documents.ts";
import type { YamlDocument } from "./tree.ts";

export interface ParsedFile {
  /** Undefined when the bytes are not text; then a finding says why. */
  readonly text: string | undefined;
  readonly documents: readonly YamlDocument[];
  readonly findings: readonly Finding[];
}

/**
 * Reads a YAML or JSON file into located documents. Total: whatever the bytes are, the answer is documents and findings,
 * in time and memory bounded by `yamlLimits`. A document with an error is left out; the others are there.
 */
export function parseYaml(file: SourceFile): ParsedFile {
  if (file.bytes.length > yamlLimits.fileBytes) return { text: undefined, documents: [], findings: [tooLarge(file)] };
  const decoded = decodeText(file.path, file.bytes);
  if (!decoded.ok) return { text: undefined, documents: [], findings: [decoded.finding] };
  return { text: decoded.text, ...parseText(file.path, decoded.text) };
}

/** `parseYaml` of text that is decoded already. */
export function parseText(file: string, text: string): Omit<ParsedFile, "text"> {
  const crowded = findCrowdedMarker(text);
  if (crowded !== undefined) {
    const message = "expected nothing behind `---`, found text that Kubernetes would drop";
    return { documents: [], findings: [{ code: "yaml/document-marker", message, file, span: crowded }] };
  }
  const documents: YamlDocument[] = [];
  const findings: Finding[] = [];
  let nodes = 0;
  for (const { start, end, contentStart } of splitDocuments(text)) {
    const simple = contentStart === undefined ? undefined : readSimple(text, contentStart, end);
    if (simple !== undefined) {
      if (simple.root !== undefined) documents.push({ root: simple.root });
      nodes += simple.nodes;
    } else {
      const read = readWithLibrary(file, text.slice(start, end), start);
      documents.push(...read.documents);
      findings.push(...read.findings);
      nodes += read.nodes;
    }
    if (nodes > yamlLimits.nodesPerFile || documents.length > yamlLimits.documentsPerFile) {
      const { nodesPerFile, documentsPerFile } = yamlLimits;
      const message = `expected at most ${nodesPerFile} nodes and ${documentsPerFile} documents in a file, found more`;
      findings.push({ code: "yaml/too-large", message, file, span: { start, end: start } });
      break;
    }
    if (findings.length >= yamlLimits.syntaxErrorsPerFile) break;
  }
  return { documents, findings };
}

const nowhere: Span = { start: 0, end: 0 };

function tooLarge(file: SourceFile): Finding {
  const message = `expected at most ${yamlLimits.fileBytes} bytes, found ${file.bytes.length}`;
  return { code: "yaml/too-large", message, file: file.path, span: nowhere };
}
