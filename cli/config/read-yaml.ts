import { LineTable } from "#policy-compiler/source/locate";
import { readSimple } from "#policy-compiler/yaml/read-simple";
import { splitDocuments } from "#policy-compiler/yaml/split-documents";
import type { YamlNode } from "#policy-compiler/yaml/tree";
import type { LocatedYaml, Path, ReadYaml } from "./located-yaml.ts";

/** No configuration is larger. */
const limitChars = 1024 * 1024;

/**
 * Reads one YAML document. Anchors and aliases are refused: there is nothing to save, and much to hide. PERF: what is written in the
 * ordinary way is read without the YAML library, which is loaded for the rest; both read the same.
 */
export async function readYaml(text: string): Promise<ReadYaml> {
  if (text.length > limitChars) {
    return { yaml: undefined, faults: [{ message: `larger than ${limitChars} characters`, line: 1, column: 1 }] };
  }
  const simple = readOrdinary(text);
  if (simple !== undefined) return { yaml: simple, faults: [] };
  const { readYamlFully } = await import("./read-yaml-fully.ts");
  return readYamlFully(text);
}

/** Undefined: the text is written in some other way, or has a fault. */
export function readOrdinary(text: string): LocatedYaml | undefined {
  const [document, ...others] = splitDocuments(text);
  if (document?.contentStart === undefined || others.length > 0) return undefined;
  const read = readSimple(text, document.contentStart, document.end);
  if (read === undefined) return undefined;
  const lines = new LineTable(text);
  const { root } = read;
  if (root === undefined) {
    return { value: null, placeOf: () => lines.locate(0), placeOfKey: () => lines.locate(0) };
  }
  return {
    value: plainValue(root),
    placeOf: (path) => lines.locate(findNode(root, path).value.span.start),
    placeOfKey(path) {
      const { key, value } = findNode(root, path);
      return lines.locate((key ?? value).span.start);
    },
  };
}

function plainValue(node: YamlNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "sequence") return node.items.map(plainValue);
  const object: Record<string, unknown> = {};
  for (const { key, value } of node.entries) {
    // INVARIANT: a key of the file is a member of its own, whatever its name.
    Object.defineProperty(object, key.text, {
      value: plainValue(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}

/** The node at a path with its key; the deepest that exists. */
function findNode(root: YamlNode, path: Path): { readonly key: YamlNode | undefined; readonly value: YamlNode } {
  let value = root;
  let key: YamlNode | undefined;
  for (const step of path) {
    if (value.kind === "mapping") {
      const entry = value.entries.find((one) => one.key.text === String(step));
      if (entry === undefined) break;
      key = entry.key;
      value = entry.value;
    } else if (value.kind === "sequence") {
      const item = value.items[Number(step)];
      if (item === undefined) break;
      key = undefined;
      value = item;
    } else break;
  }
  return { key, value };
}
