import type { Span } from "#policy-compiler/source/diagnostic";

/**
 * The located tree: one document of a file as plain data, every node with the place where it was written. Aliases stand
 * expanded (the node is shared); anchors, comments and tags are gone.
 */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping;

/** One document of a file; empty documents are not among them. */
export interface YamlDocument {
  readonly root: YamlNode;
}

export interface YamlScalar {
  readonly kind: "scalar";
  readonly span: Span;
  /** The JSON value by the core schema of YAML 1.2. `.inf` and `.nan` are numbers without a JSON form. */
  readonly value: string | number | boolean | null;
  /** The text of the scalar: of a number the digits as written, of a quoted scalar its content. */
  readonly text: string;
  readonly style: "plain" | "quoted" | "block";
  /**
   * What a YAML 1.1 reader makes of this plain scalar where that is another kind or number: `yes` is a boolean, `1_000` a
   * number, `010` is eight. Kubernetes and Istio read YAML 1.1, so such a scalar has no meaning that all agree on.
   */
  readonly elsewhere: "boolean" | "number" | undefined;
}

export interface YamlSequence {
  readonly kind: "sequence";
  readonly span: Span;
  readonly items: readonly YamlNode[];
}

export interface YamlEntry {
  /** INVARIANT: `key.text` is unique in its mapping. */
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

export interface YamlMapping {
  readonly kind: "mapping";
  readonly span: Span;
  /** In the order of the file. */
  readonly entries: readonly YamlEntry[];
}

/** Is this the null of JSON: `null`, `~`, or nothing at all? */
export function isNull(node: YamlNode): boolean {
  return node.kind === "scalar" && node.value === null;
}
