import type { YamlNode } from "#policy-compiler/yaml/tree";
import type { Decoding } from "./decoding.ts";
import type { Placement, Selector, TargetRef } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readList, readText, readTextMap } from "./read-values.ts";

const selectorFields = fieldTable(["matchLabels"]);
const targetRefFields = fieldTable(["group", "kind", "name", "namespace"]);

/** These two have a camelCase original: their snake_case spelling is no field. */
export const placementOriginals = { targetRef: "targetRef", targetRefs: "targetRefs" } as const;

/** Decodes where a policy applies: `selector`, `targetRef`, `targetRefs`. */
export function decodePlacement(
  decoding: Decoding,
  fields: ReadonlyMap<"selector" | "targetRef" | "targetRefs" | string, YamlNode>,
): Placement {
  const targetRef = fields.get("targetRef");
  return {
    selector: decodeSelector(decoding, fields.get("selector")),
    targetRef: targetRef && decodeTargetRef(decoding, targetRef, "targetRef"),
    targetRefs: readList(decoding, fields.get("targetRefs"), "targetRefs", (item) =>
      decodeTargetRef(decoding, item, "targetRefs"),
    ),
  };
}

/** Decodes `selector`; present and empty is not absent. */
export function decodeSelector(decoding: Decoding, node: YamlNode | undefined): Selector | undefined {
  if (node === undefined) return undefined;
  const fields = readFields(decoding, node, selectorFields, "`selector`");
  return { span: node.span, matchLabels: readTextMap(decoding, fields?.get("matchLabels"), "matchLabels") };
}

function decodeTargetRef(decoding: Decoding, node: YamlNode, field: string): TargetRef {
  const fields = readFields(decoding, node, targetRefFields, `\`${field}\``);
  return {
    span: node.span,
    group: readText(decoding, fields?.get("group"), "group"),
    kind: readText(decoding, fields?.get("kind"), "kind"),
    name: readText(decoding, fields?.get("name"), "name"),
    namespace: readText(decoding, fields?.get("namespace"), "namespace"),
  };
}
