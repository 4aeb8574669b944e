import { isAlias, isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";

import type { LocatedYaml, Path, Place, ReadYaml, YamlFault } from "./located-yaml.ts";

/** Reads one YAML document with the library, and says what is wrong with it. */
export function readYamlFully(text: string): ReadYaml {
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
  return { yaml, faults: [] };
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
