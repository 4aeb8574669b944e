import { isAlias, isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";

/** A way into a value: keys of objects and indexes of lists. */
export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A configuration file as plain data, with the places of its parts. */
export interface LocatedYaml {
  readonly value: unknown;
  /** Where the value at a path stands; where it is missing, the nearest part around it. */
  placeOf(path: Path): Place;
  /** Where the key stands that leads to the value at a path. */
  placeOfKey(path: Path): Place;
}

export interface YamlFault extends Place {
  readonly message: string;
}

/** No configuration is larger. */
const limitChars = 1024 * 1024;

/** Reads one YAML document. Anchors and aliases are refused: there is nothing to save, and much to hide. */
export function readYaml(text: string): { readonly yaml: LocatedYaml | undefined; readonly faults: YamlFault[] } {
  if (text.length > limitChars) {
    return { yaml: undefined, faults: [{ message: `larger than ${limitChars} characters`, line: 1, column: 1 }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, stringKeys: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults: YamlFault[] = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    message: sentence(message),
    ...at(pos[0]),
  }));
  visit(document, {
    Alias(_key, node) {
      faults.push({ message: "aliases are not allowed in a configuration", ...at(node.range?.[0] ?? 0) });
    },
  });
  if (faults.length > 0) return { yaml: undefined, faults };
  const root = document.contents;
  const yaml: LocatedYaml = {
    value: document.toJS(),
    placeOf: (path) => at(findNode(root, path).value?.range?.[0] ?? 0),
    placeOfKey: (path) => {
      const { key, value } = findNode(root, path);
      return at((key ?? value)?.range?.[0] ?? 0);
    },
  };
  return { yaml, faults };
}

/** The node at a path with its key; the deepest that exists. */
function findNode(root: unknown, path: Path): { readonly key: Node | undefined; readonly value: Node | undefined } {
  let value = root as Node | undefined;
  let key: Node | undefined;
  for (const step of path) {
    if (value === undefined || isAlias(value) || !isCollection(value)) break;
    if (isMap(value)) {
      const pair = value.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) break;
      key = pair.key as Node;
      value = (pair.value ?? pair.key) as Node;
    } else {
      const item = value.items[Number(step)];
      if (item === undefined) break;
      key = undefined;
      value = item as Node;
    }
  }
  return { key, value };
}

function sentence(message: string): string {
  const line = message.split("\n", 1)[0] ?? message;
  return (line.charAt(0).toLowerCase() + line.slice(1)).replace(/\.$/, "");
}
