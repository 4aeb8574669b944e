import type { Located, Span } from "#policy-compiler/source/diagnostic";

/** A text of a document, with the place where its author wrote it; undefined: the decoded document does not keep it. */
export interface Piece {
  readonly text: string;
  readonly span: Span | undefined;
}

/** A list whose order says nothing, of texts. */
export interface TextsNode {
  readonly kind: "texts";
  readonly items: readonly Piece[];
}

/** A list of groups, which are known by what they hold and not by where they stand. */
export interface ItemsNode {
  readonly kind: "items";
  readonly items: readonly GroupNode[];
  /** Says the order something: the name of a rule, which token is tried first? */
  readonly ordered: boolean;
}

export interface GroupNode {
  readonly kind: "group";
  readonly span: Span | undefined;
  readonly fields: ReadonlyMap<string, FieldNode>;
}

export type ValueNode = Piece & { readonly kind: "value" };

/** What a document says, field by field, under the names that authors write. What is absent, and a list without items, have no node. */
export type FieldNode = ValueNode | TextsNode | ItemsNode | GroupNode;

type Scalar = string | number | boolean;

export function valueNode(value: Scalar, span?: Span): ValueNode {
  return { kind: "value", text: String(value), span };
}

/** The node of a field that may be absent. */
export function located(field: Located<Scalar> | undefined): ValueNode | undefined {
  return field && valueNode(field.value, field.span);
}

/** Undefined for an empty list: it decodes as absence does. `span`: where the whole stands, for texts that have no place of their own. */
export function texts(list: readonly (Located<string> | string)[] | undefined, span?: Span): TextsNode | undefined {
  if (list === undefined || list.length === 0) return undefined;
  const items = list.map((each) => (typeof each === "string" ? piece(each, span) : piece(each.value, each.span)));
  return { kind: "texts", items };
}

/** Undefined for an empty list. */
export function items(list: readonly GroupNode[], ordered = false): ItemsNode | undefined {
  return list.length === 0 ? undefined : { kind: "items", items: list, ordered };
}

/** Fields that are undefined are left out. */
export function group(fields: Readonly<Record<string, FieldNode | undefined>>, span?: Span): GroupNode {
  const present = Object.entries(fields).filter((entry): entry is [string, FieldNode] => entry[1] !== undefined);
  return { kind: "group", span, fields: new Map(present) };
}

/** A map as a group with a field for each key; undefined for one without keys. */
export function mapGroup(
  entries: Iterable<readonly [key: string, value: FieldNode]>,
  span?: Span,
): GroupNode | undefined {
  const fields = new Map(entries);
  return fields.size === 0 ? undefined : { kind: "group", span, fields };
}

/** The node in one line, as flow YAML; the same for two nodes that say the same. Cost: linear in the node. */
export function renderNode(node: FieldNode): string {
  switch (node.kind) {
    case "value":
      return flowText(node.text);
    case "texts":
      return `[${[...new Set(node.items.map(({ text }) => flowText(text)))].join(", ")}]`;
    case "items":
      return `[${node.items.map(renderNode).join(", ")}]`;
    case "group":
      return `{${[...node.fields].map(([name, field]) => `${flowText(name)}: ${renderNode(field)}`).join(", ")}}`;
  }
}

/** Quoted where it could be read as the end of itself and the beginning of another field. */
function flowText(text: string): string {
  return text.trim() !== text || /^$|[,[\]{}"\n]|: /.test(text) ? JSON.stringify(text) : text;
}

/** Every field below the node, and every text with the names above it: equal for nodes that say the same, whatever the order of lists. */
export function leavesOf(node: FieldNode): ReadonlySet<string> {
  const leaves = new Set<string>();
  const walk = (at: FieldNode, path: string): void => {
    leaves.add(path);
    switch (at.kind) {
      case "value":
        leaves.add(`${path}\0${at.text}`);
        break;
      case "texts":
        for (const { text } of at.items) leaves.add(`${path}\0${text}`);
        break;
      case "items":
        for (const item of at.items) walk(item, `${path}/`);
        break;
      case "group":
        for (const [name, field] of at.fields) walk(field, `${path}/${name}`);
    }
  };
  walk(node, "");
  return leaves;
}

/** Differs for any two nodes that do not say the same. Lists of texts count as sets, lists of groups without an order as bags. */
export function keyOf(node: FieldNode): string {
  switch (node.kind) {
    case "value":
      return JSON.stringify(node.text);
    case "texts":
      return JSON.stringify([...new Set(node.items.map(({ text }) => text))].toSorted());
    case "items": {
      const keys = node.items.map(keyOf);
      return `<${(node.ordered ? keys : keys.toSorted()).join(",")}>`;
    }
    case "group": {
      const fields = [...node.fields].map(([name, field]) => `${JSON.stringify(name)}:${keyOf(field)}`);
      return `{${fields.toSorted().join(",")}}`;
    }
  }
}

function piece(text: string, span?: Span): Piece {
  return { text, span };
}
