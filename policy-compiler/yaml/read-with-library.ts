import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type YAMLError } from "yaml";
import type { DiagnosticCode } from "#policy-compiler/source/codes";
import type { Finding, Span } from "#policy-compiler/source/diagnostic";
import { yamlLimits } from "./limits.ts";
import { canonicalInteger, resolvePlain } from "./resolve-plain.ts";
import type { YamlDocument, YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from "./tree.ts";

/**
 * Reads YAML text by the `yaml` library: the whole of YAML 1.2, less what a policy has no use for. `offset` is where the
 * text stands in its file. Never throws.
 */
export function readWithLibrary(
  file: string,
  text: string,
  offset = 0,
): { readonly documents: readonly YamlDocument[]; readonly findings: readonly Finding[]; readonly nodes: number } {
  const documents: YamlDocument[] = [];
  const findings: Finding[] = [];
  let nodes = 0;
  const openEnd = endsInsideLine(text) ? offset + text.length : undefined;
  try {
    for (const document of compose(text, offset)) {
      const errors = document.errors.slice(0, yamlLimits.syntaxErrorsPerFile - findings.length);
      if (document.errors.length > 0) findings.push(...errors.map((error) => syntaxFinding(file, error)));
      else {
        const builder = new TreeBuilder(openEnd);
        const root = builder.build(document);
        nodes += builder.nodes;
        if (root !== undefined) documents.push({ root });
      }
      if (findings.length >= yamlLimits.syntaxErrorsPerFile) break;
    }
  } catch (error) {
    findings.push(refusalFinding(file, offset, text, error));
  }
  return { documents, findings, nodes };
}

/** What is refused beyond the grammar. Thrown and caught inside this file only. */
class Refusal extends Error {
  readonly code: DiagnosticCode;
  readonly span: Span;
  readonly help: string | undefined;

  constructor(code: DiagnosticCode, span: Span, message: string, help?: string) {
    super(message);
    this.code = code;
    this.span = span;
    this.help = help;
  }
}

function refusalFinding(file: string, offset: number, text: string, error: unknown): Finding {
  if (error instanceof Refusal) {
    const { code, message, span, help } = error;
    return help === undefined ? { code, message, file, span } : { code, message, file, span, help };
  }
  // The library met input that it does not survive. Nothing of the file is believed.
  const span = { start: offset, end: offset + Math.min(text.length, 1) };
  return { code: "yaml/syntax", message: "expected YAML, found text that cannot be read", file, span };
}

function syntaxFinding(file: string, error: YAMLError): Finding {
  const line = error.message.split("\n", 1)[0] ?? "";
  const message = (line.charAt(0).toLowerCase() + line.slice(1)).replace(/[.:]$/, "");
  return { code: "yaml/syntax", message, file, span: { start: error.pos[0], end: error.pos[1] } };
}

/** The library's stages, with limits between them: its composer recurses, and its syntax tree is large. */
function* compose(text: string, offset: number): Generator<Document.Parsed> {
  const lexer = new Lexer();
  const parser = new Parser();
  parser.offset = offset;
  const composer = new Composer({
    schema: "failsafe",
    version: "1.2",
    merge: false,
    prettyErrors: false,
    resolveKnownTags: false,
    strict: true,
    // PERF: the library's own check is quadratic in the number of keys; the tree builder has a linear one.
    uniqueKeys: false,
    logLevel: "silent",
  });
  let tokens = 0;
  let documents = 0;
  for (const lexeme of lexer.lex(text)) {
    tokens++;
    for (const token of parser.next(lexeme)) {
      if (token.type === "directive") {
        const span = { start: token.offset, end: token.offset + token.source.length };
        throw new Refusal("yaml/directive", span, `expected a document, found the directive \`${token.source}\``);
      }
      if (token.type === "document") {
        tokens = 0;
        if (++documents > yamlLimits.documentsPerFile)
          throw tooLarge(token.offset, yamlLimits.documentsPerFile, "documents in a file");
      }
      yield* composer.next(token);
    }
    if (tokens > yamlLimits.documentTokens)
      throw tooLarge(parser.offset, yamlLimits.documentTokens, "tokens in a document");
    // The parser stacks one token a collection, and a few more.
    if (parser.stack.length > 2 * yamlLimits.depth + 10) throw tooDeep(parser.offset);
  }
  for (const token of parser.end()) yield* composer.next(token);
  yield* composer.end(false, offset + text.length);
}

function tooDeep(offset: number): Refusal {
  const message = `expected at most ${yamlLimits.depth} collections inside one another, found more`;
  return new Refusal("yaml/too-deep", { start: offset, end: offset }, message);
}

function tooLarge(offset: number, limit: number, what: string): Refusal {
  return new Refusal("yaml/too-large", { start: offset, end: offset }, `expected at most ${limit} ${what}, found more`);
}

/** Does the text end behind content, without a line end? */
function endsInsideLine(text: string): boolean {
  return text.slice(text.lastIndexOf("\n") + 1).trim() !== "";
}

/** Turns one document of the library into a located tree. */
class TreeBuilder {
  readonly #anchors = new Map<string, { readonly node: YamlNode; readonly size: number }>();
  /** Where the file ends, if it ends without a line end. */
  readonly #openEnd: number | undefined;
  /** Nodes so far, aliases expanded; ends as the size of the document. */
  #size = 0;
  /** Nodes so far, each alias as one. */
  nodes = 0;
  #aliasNodes = 0;

  constructor(openEnd: number | undefined) {
    this.#openEnd = openEnd;
  }

  /** Undefined for an empty document. */
  build(document: Document.Parsed): YamlNode | undefined {
    const { contents } = document;
    if (contents === null) return undefined;
    const root = this.#node(contents, 0);
    return root.kind === "scalar" && root.value === null ? undefined : root;
  }

  #node(node: unknown, depth: number): YamlNode {
    if (isAlias(node)) return this.#alias(node.source, spanOf(node.range));
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) throw new Error("unexpected node");
    const span = spanOf(node.range);
    this.#size++;
    if (++this.nodes > yamlLimits.documentNodes)
      throw tooLarge(span.start, yamlLimits.documentNodes, "nodes in a document");
    if (node.tag !== undefined && !plainTags.has(node.tag)) {
      throw new Refusal("yaml/tag", span, `expected a value without a tag, found \`${node.tag}\``);
    }
    if (node.anchor !== undefined && !anchorName.test(node.anchor)) {
      const message = `expected an anchor of letters, digits, \`-\` and \`_\`, found \`${node.anchor}\``;
      throw new Refusal("yaml/anchor", span, message);
    }
    const sizeBefore = this.#size - 1;
    let built: YamlNode;
    if (isScalar(node)) built = scalarOf(node, span, this.#openEnd);
    else {
      if (depth >= yamlLimits.depth) throw tooDeep(span.start);
      built = isMap(node) ? this.#mapping(node, span, depth) : this.#sequence(node, span, depth);
    }
    // An anchor counts only once its node is complete, so that no node can hold itself.
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, { node: built, size: this.#size - sizeBefore });
    return built;
  }

  #alias(name: string, span: Span): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw new Refusal("yaml/unknown-alias", span, `expected an anchor that stands before, found \`*${name}\``);
    }
    this.#size += target.size;
    this.#aliasNodes += target.size;
    if (this.#aliasNodes > yamlLimits.aliasNodes) {
      const message = `expected aliases that stand for at most ${yamlLimits.aliasNodes} nodes, found more`;
      throw new Refusal("yaml/too-many-aliases", span, message);
    }
    return target.node;
  }

  #sequence(node: { items: readonly unknown[]; flow?: boolean }, span: Span, depth: number): YamlSequence {
    const items = node.items.map((item) => this.#node(item, depth + 1));
    return { kind: "sequence", span: node.flow ? span : endingWith(span, items.at(-1)), items };
  }

  #mapping(
    node: { items: readonly { key: unknown; value: unknown }[]; flow?: boolean },
    span: Span,
    depth: number,
  ): YamlMapping {
    const entries: YamlEntry[] = [];
    const seen = new Set<string>();
    for (const item of node.items) {
      const key = this.#key(item.key, span);
      if (seen.has(key.text)) {
        throw new Refusal("yaml/duplicate-key", key.span, `expected each key once, found \`${key.text}\` again`);
      }
      seen.add(key.text);
      entries.push({ key, value: this.#value(item.value, key, depth) });
    }
    return { kind: "mapping", span: node.flow ? span : endingWith(span, entries.at(-1)?.value), entries };
  }

  /** A value that was not written has the place of its key. */
  #value(value: unknown, key: YamlScalar, depth: number): YamlNode {
    if (value === null || value === undefined) return nothingAt(key.span);
    const node = this.#node(value, depth + 1);
    return isUnwritten(node) ? nothingAt(key.span) : node;
  }

  #key(key: unknown, mapping: Span): YamlScalar {
    const node = isScalar(key) ? this.#node(key, 0) : undefined;
    if (node === undefined || node.kind !== "scalar") {
      throw new Refusal("yaml/key-not-text", mapping, "expected keys that are texts, found a collection or an alias");
    }
    if (node.style === "plain" && node.text === "<<") {
      throw new Refusal(
        "yaml/merge-key",
        node.span,
        "expected a field, found the merge key `<<`",
        "write the fields out",
      );
    }
    if (typeof node.value === "string" && node.elsewhere === undefined) return node;
    // A port is a natural key; its text is kept. Every other key that is no text means different things to readers.
    if (typeof node.value === "number" && canonicalInteger.test(node.text)) return node;
    throw new Refusal(
      "yaml/key-not-text",
      node.span,
      `expected a key that is a text, found \`${node.text}\``,
      "write it in quotes",
    );
  }
}

const plainTags: ReadonlySet<string> = new Set([
  "tag:yaml.org,2002:str",
  "tag:yaml.org,2002:map",
  "tag:yaml.org,2002:seq",
]);

/** YAML 1.1 ends an anchor's name at the first other character, and reads the rest as the value. */
const anchorName = /^[-_A-Za-z0-9]+$/;

function scalarOf(
  node: { value: unknown; source?: string; type?: string; tag?: string },
  span: Span,
  openEnd: number | undefined,
): YamlScalar {
  const source = node.source ?? String(node.value);
  if (!isWritable(source)) {
    throw new Refusal("yaml/character", span, "expected text, found an escape that stands for no character or for NUL");
  }
  if (node.type === "PLAIN" && node.tag === undefined) {
    const { value, elsewhere } = resolvePlain(source);
    return { kind: "scalar", span, value, text: source, style: "plain", elsewhere };
  }
  const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  // The library ends the last line of a block scalar where the file does not (YAML 1.2.2 §8.1.1.2).
  const text = isBlock && span.end === openEnd && source.endsWith("\n") ? source.slice(0, -1) : source;
  return { kind: "scalar", span, value: text, text, style: isBlock ? "block" : "quoted", elsewhere: undefined };
}

/** Escapes can make what cannot stand in a file: NUL, and halves of surrogate pairs, which UTF-8 does not have. */
function isWritable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function nothingAt(span: Span): YamlScalar {
  return { kind: "scalar", span, value: null, text: "", style: "plain", elsewhere: undefined };
}

function isUnwritten(node: YamlNode): boolean {
  return node.kind === "scalar" && node.style === "plain" && node.text === "";
}

function spanOf(range: readonly [number, number, number] | null | undefined): Span {
  return range ? { start: range[0], end: range[1] } : { start: 0, end: 0 };
}

/** A block collection ends where its last item ends, not where the next thing begins. */
function endingWith(span: Span, last: YamlNode | undefined): Span {
  return last === undefined ? span : { start: span.start, end: Math.max(span.start, last.span.end) };
}
