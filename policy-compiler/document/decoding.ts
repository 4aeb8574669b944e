import { DURATION_HELP } from "#policy-compiler/ruleset/duration";
import type { DiagnosticCode } from "#policy-compiler/source/codes";
import type { Finding, Span } from "#policy-compiler/source/diagnostic";
import type { YamlNode } from "#policy-compiler/yaml/tree";

/** The decoding of one document: where it stands, what has been found, and whether it still can be believed. */
export class Decoding {
  readonly file: string;
  /** The text of the file. */
  readonly text: string;
  /** Unknown fields are dropped with a note. */
  readonly istioLax: boolean;
  readonly #findings: Finding[];
  #refused = false;

  constructor(file: { readonly path: string; readonly text: string }, istioLax: boolean, findings: Finding[]) {
    this.file = file.path;
    this.text = file.text;
    this.istioLax = istioLax;
    this.#findings = findings;
  }

  /** True when the object as a whole cannot be decoded, as Istio would say too. */
  get refused(): boolean {
    return this.#refused;
  }

  /** `message` becomes one line. */
  report(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    const finding = { code, message: message.replaceAll(/[\r\n]+/g, " "), file: this.file, span };
    this.#findings.push(help === undefined ? finding : { ...finding, help });
  }

  /** Reports a fault that makes the whole object undecodable. */
  refuse(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.#refused = true;
    this.report(code, span, message, help);
  }

  /** Refuses a value of another type than it should have. `what` it is: a field in backticks, or words. */
  refuseType(what: string, expected: string, found: YamlNode): void {
    this.refuse(
      "document/wrong-type",
      found.span,
      `expected ${expected} for ${what}, found ${describe(found)}`,
      helpFor(expected, found),
    );
  }
}

function helpFor(expected: string, found: YamlNode): string | undefined {
  if (expected === "a duration") return DURATION_HELP;
  const isBare = found.kind === "scalar" && found.style === "plain" && found.value !== null;
  return expected === "a text" && isBare ? `write it in quotes: "${found.text}"` : undefined;
}

/** What a node is, in words, with the author's text in backticks. */
export function describe(node: YamlNode): string {
  if (node.kind === "sequence") return "a list";
  if (node.kind === "mapping") return "an object";
  if (node.value === null) return "null";
  if (node.elsewhere !== undefined) return `\`${node.text}\`, which Kubernetes reads as a ${node.elsewhere}`;
  if (typeof node.value === "string") return `the text \`${excerpt(node.text)}\``;
  return `the ${typeof node.value} \`${node.text}\``;
}

/** One line of at most 60 characters of an author's text. */
export function excerpt(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
