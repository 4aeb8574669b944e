/**
 * What a file may cost. Honest policy folders stay far below; beyond, the file is refused with a diagnostic, so that no
 * input takes the memory or the time of the reader.
 */
export const yamlLimits = {
  fileBytes: 16 * 1024 * 1024,
  folderBytes: 256 * 1024 * 1024,
  /** Collections inside one another. */
  depth: 100,
  /** Lexical tokens of one document; bounds the memory of the library's syntax tree. */
  documentTokens: 500_000,
  documentNodes: 1_000_000,
  documentsPerFile: 100_000,
  nodesPerFile: 2_500_000,
  /** Nodes that aliases of one document stand for, counted expanded. */
  aliasNodes: 10_000,
  /** Syntax errors of one file that are reported; the first explains the rest. */
  syntaxErrorsPerFile: 20,
} as const;
