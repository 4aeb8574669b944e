import { parseHostPattern, parseTextPattern } from "#policy-compiler/document/values/text-pattern";
import { parseCidr } from "#policy-compiler/ruleset/patterns/cidr";

/** How the values of a field are compared: as Istio's four-way patterns, as address blocks, or only as the same text. */
export type ValueKind = "pattern" | "host" | "path" | "block" | "same";

/** Is it certain that everything that `narrow` matches, `wide` matches too? False: it does not, or it cannot be told. */
export function covers(wide: string, narrow: string, kind: ValueKind): boolean {
  if (wide === narrow) return true;
  switch (kind) {
    case "same":
      return false;
    case "block":
      return coversBlock(wide, narrow);
    case "path":
      // A path with `{*}` or `{**}` is a template, in which stars mean something else.
      return !/[{}]/.test(wide + narrow) && coversPattern(wide, narrow, parseTextPattern);
    case "host":
      return coversPattern(wide, narrow, parseHostPattern);
    case "pattern":
      return coversPattern(wide, narrow, parseTextPattern);
  }
}

function coversPattern(wide: string, narrow: string, parse: typeof parseTextPattern): boolean {
  const [outer, inner] = [parse(wide), parse(narrow)];
  if (inner.op === "present") return outer.op === "present";
  switch (outer.op) {
    case "present":
      // Whether an empty text counts as present is the field's matter: `prefix` and `suffix` are never empty, `exact` may be. So is a line break, which no
      // request line has; a claim with one is left out of account, so that a pattern that becomes `*` is told to open.
      return inner.text !== "";
    case "exact":
      return inner.op === "exact" && inner.text === outer.text;
    case "prefix":
      return inner.op !== "suffix" && inner.text.startsWith(outer.text);
    case "suffix":
      return inner.op !== "prefix" && inner.text.endsWith(outer.text);
    default:
      return false;
  }
}

function coversBlock(wide: string, narrow: string): boolean {
  const [outer, inner] = [parseCidr(wide), parseCidr(narrow)];
  if (!outer.ok || !inner.ok) return false;
  const { bytes, prefixLength } = outer.cidr;
  if (bytes.length !== inner.cidr.bytes.length || inner.cidr.prefixLength < prefixLength) return false;
  return bytes.every((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefixLength - i * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return (inner.cidr.bytes[i]! & mask) === byte;
  });
}
