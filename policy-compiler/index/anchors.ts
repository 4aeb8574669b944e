import type { Attribute, ByteString, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import type { Anchor, Dimension, Dimensions } from "./dimensions.ts";

/**
 * For each value of a field the anchors under which a rule may be filed for it: every request that the value passes or leaves
 * unknown is found under **each** of them, so that one of them will do. Undefined: the field says nothing that could be looked
 * up (it has no values, or one without an anchor), and a rule cannot be filed by it.
 */
export function fieldAnchors(dimensions: Dimensions, field: FieldTest): readonly (readonly Anchor[])[] | undefined {
  if (field.values.length === 0) return undefined;
  const all: (readonly Anchor[])[] = [];
  for (const value of field.values) {
    const anchors = valueAnchors(dimensions, field.attribute, value);
    if (anchors.length === 0) return undefined;
    all.push(anchors);
  }
  return all;
}

function valueAnchors(dimensions: Dimensions, attribute: Attribute, value: ValueTest): readonly Anchor[] {
  const own = () => dimensions.on({ kind: "attribute", attribute });
  switch (value.kind) {
    case "text":
      return [textAnchor(own(), value.test)];
    case "template":
      return [templateAnchor(own(), value.pieces)];
    case "port":
      return [own().text("exact", String(value.port))];
    case "cidr":
      return [own().cidr(value.bytes, value.prefixLength)];
    case "principal":
      return [textAnchor(own(), value.test)];
    case "namespace":
      return [namespaceAnchor(dimensions, value.pieces)];
    case "serviceAccount":
      return [
        dimensions.on({ kind: "identityServiceAccount" }).text("exact", firstSegment(value.name)),
        dimensions.on({ kind: "identityNamespace" }).text("exact", firstSegment(value.namespace)),
      ];
    case "trustDomain":
      return [trustDomainAnchor(dimensions.on({ kind: "identityTrustDomain" }), value)];
    case "requestPrincipal":
      return [
        textAnchor(dimensions.on({ kind: "attribute", attribute: { kind: "claim", path: ["iss"] } }), value.iss),
        textAnchor(dimensions.on({ kind: "attribute", attribute: { kind: "claim", path: ["sub"] } }), value.sub),
      ];
    case "metadata":
      return [textAnchor(own(), value.test)];
  }
}

function textAnchor(dimension: Dimension, test: TextTest): Anchor {
  return test.op === "present" ? dimension.present() : dimension.text(test.op, test.text);
}

/** A path that fits begins with the first piece and ends with the last; the longer of the two tells more. */
function templateAnchor(dimension: Dimension, pieces: readonly ByteString[]): Anchor {
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (pieces.length === 1) return dimension.text("exact", first);
  return last.length > first.length ? dimension.text("suffix", last) : dimension.text("prefix", first);
}

/**
 * The name holds `/ns/` and then the first piece. Without a slash in it the segment after `/ns/` is that piece where a slash
 * follows (no star), else begins with it; with a slash the segment ends there.
 */
function namespaceAnchor(dimensions: Dimensions, pieces: readonly ByteString[]): Anchor {
  const dimension = dimensions.on({ kind: "identityNamespace" });
  const first = pieces[0] ?? "";
  if (pieces.length === 1 || first.includes("/")) return dimension.text("exact", firstSegment(first));
  return first === "" ? dimension.present() : dimension.text("prefix", first);
}

/** The text between `spiffe://` and the next slash; a text with a slash goes no further than that slash. */
function trustDomainAnchor(dimension: Dimension, test: Extract<ValueTest, { kind: "trustDomain" }>): Anchor {
  if (test.op === "any") return dimension.present();
  if (test.op === "exact") return dimension.text("exact", firstSegment(test.text));
  if (test.before.includes("/")) return dimension.text("exact", firstSegment(test.before));
  if (test.before !== "") return dimension.text("prefix", test.before);
  const after = firstSegment(test.after);
  return after === "" ? dimension.present() : dimension.text("suffix", after);
}

function firstSegment(text: ByteString): ByteString {
  const slash = text.indexOf("/");
  return slash < 0 ? text : text.slice(0, slash);
}
