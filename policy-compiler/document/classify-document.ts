import type { DiagnosticCode } from "#policy-compiler/source/codes";
import type { Located, Span } from "#policy-compiler/source/diagnostic";
import type { YamlMapping, YamlNode, YamlScalar } from "#policy-compiler/yaml/tree";
import { excerpt } from "./decoding.ts";
import { isOtherKind, type OurKind, ourGroups, ourKinds, type ServedIn, splitApiVersion } from "./kinds.ts";
import { editDistance, suggest } from "./suggest.ts";

/** What a document of a folder is to us. */
export type Classification =
  | {
      readonly is: "object";
      readonly kind: OurKind;
      readonly group: string;
      readonly apiVersion: Located<string>;
      readonly kindText: Located<string>;
      readonly document: YamlMapping;
    }
  | { readonly is: "list"; readonly items: YamlNode | undefined; readonly itemHead: ItemHead | undefined }
  /** Passed over or refused; the code's severity tells which. */
  | {
      readonly is: "outside";
      readonly code: DiagnosticCode;
      readonly span: Span;
      readonly message: string;
      readonly help?: string;
    };

/** What the items of a typed list are when they do not say it themselves. */
export interface ItemHead {
  readonly apiVersion: YamlScalar;
  readonly kind: YamlScalar;
}

/** Says what a document is, by its `apiVersion` and `kind`. `itemHead` stands in for them inside a typed list. */
export function classifyDocument(root: YamlNode, itemHead?: ItemHead): Classification {
  if (root.kind !== "mapping") {
    return outside("document/no-kind", root.span, "passed over a document that is no object");
  }
  const apiVersion = textOf(root, "apiVersion") ?? itemHead?.apiVersion;
  const kind = textOf(root, "kind") ?? itemHead?.kind;
  if (apiVersion === undefined || kind === undefined) return classifyHeadless(root, apiVersion, kind);
  if (kind.text.toLowerCase().endsWith("list") && !isOurKind(kind.text)) {
    const items = memberOf(root, "items");
    if (items !== undefined || kind.text === "List")
      return { is: "list", items, itemHead: itemHeadOf(apiVersion, kind) };
  }
  return classifyKind(root, apiVersion, kind);
}

function classifyKind(root: YamlMapping, apiVersion: YamlScalar, kind: YamlScalar): Classification {
  const { group, version } = splitApiVersion(apiVersion.text);
  const found = `\`${excerpt(apiVersion.text)}\` \`${excerpt(kind.text)}\``;
  const served = isOurKind(kind.text) ? servedIn(kind.text, group) : undefined;
  if (isOurKind(kind.text) && served !== undefined) {
    const { versions } = served;
    if (versions.includes(version)) {
      return {
        is: "object",
        kind: kind.text,
        group,
        apiVersion: located(apiVersion),
        kindText: located(kind),
        document: root,
      };
    }
    const expected = versions.map((served) => `\`${group}/${served}\``).join(", ");
    const message = `expected ${expected} for \`${kind.text}\`, found \`${excerpt(apiVersion.text)}\``;
    return outside("document/unknown-version", apiVersion.span, message);
  }
  if (isOtherKind(group, kind.text)) {
    return outside("document/other-kind", kind.span, `passed over ${found}: it has no part in policies`);
  }
  if (ourGroups.has(group)) return unknownKind(group, kind);
  const near = nearestOurKind(kind.text);
  if (near !== undefined) {
    const meant = servedIn(near, suggest(group, ourGroups) ?? "") ?? ourKinds[near][0];
    const message = `expected \`${meant.group}/${meant.versions[0]}\` \`${near}\`, found ${found}`;
    return outside("document/misspelt-kind", near === kind.text ? apiVersion.span : kind.span, message);
  }
  return outside("document/unfamiliar-kind", kind.span, `passed over ${found}: this kind is not known`);
}

function unknownKind(group: string, kind: YamlScalar): Classification {
  const near = nearestOurKind(kind.text);
  const meant = near === undefined ? undefined : (servedIn(near, group) ?? ourKinds[near][0]);
  const help = meant && `did you mean \`${near}\` of \`${meant.group}/${meant.versions[0]}\`?`;
  const message = `expected a kind of \`${group}\`, found \`${excerpt(kind.text)}\``;
  return outside("document/unknown-kind", kind.span, message, help);
}

/**
 * A document without a complete head is passed over, unless the rest of it says that it is meant for us: a policy must not
 * be lost because of one letter.
 */
function classifyHeadless(
  root: YamlMapping,
  apiVersion: YamlScalar | undefined,
  kind: YamlScalar | undefined,
): Classification {
  const code = "document/misspelt-head";
  if (kind !== undefined && nearestOurKind(kind.text) !== undefined) {
    return outside(code, kind.span, `expected \`apiVersion\` beside the kind \`${excerpt(kind.text)}\`, found none`);
  }
  if (apiVersion !== undefined && ourGroups.has(splitApiVersion(apiVersion.text).group)) {
    return outside(code, apiVersion.span, `expected \`kind\` beside \`${excerpt(apiVersion.text)}\`, found none`);
  }
  if (root.entries.some(({ key }) => key.text === "spec" || key.text === "metadata")) {
    for (const { key } of root.entries) {
      const near = suggest(key.text, ["apiVersion", "kind"]);
      if (near === undefined || near === key.text) continue;
      return outside(code, key.span, `expected \`${near}\`, found \`${excerpt(key.text)}\``);
    }
  }
  const missing = apiVersion ? "`kind`" : kind ? "`apiVersion`" : "`apiVersion` and `kind`";
  return outside("document/no-kind", firstKey(root), `passed over a document without ${missing}`);
}

function itemHeadOf(apiVersion: YamlScalar, kind: YamlScalar): ItemHead | undefined {
  const item = kind.text.slice(0, -"List".length);
  return isOurKind(item) ? { apiVersion, kind: { ...kind, text: item, value: item } } : undefined;
}

function isOurKind(kind: string): kind is OurKind {
  return Object.hasOwn(ourKinds, kind);
}

function servedIn(kind: OurKind, group: string): ServedIn | undefined {
  const groups: readonly ServedIn[] = ourKinds[kind];
  return groups.find((served) => served.group === group);
}

/** The kind of ours within two edits, case aside. */
function nearestOurKind(kind: string): OurKind | undefined {
  if (isOurKind(kind)) return kind;
  const names = Object.keys(ourKinds) as OurKind[];
  return names.find((name) => editDistance(name.toLowerCase(), kind.toLowerCase(), 2) <= 2);
}

function memberOf(root: YamlMapping, field: string): YamlNode | undefined {
  return root.entries.find(({ key }) => key.text === field)?.value;
}

function textOf(root: YamlMapping, field: string): YamlScalar | undefined {
  const node = memberOf(root, field);
  return node?.kind === "scalar" && typeof node.value === "string" && node.value !== "" ? node : undefined;
}

function located(node: YamlScalar): Located<string> {
  return { value: node.text, span: node.span };
}

function firstKey(root: YamlMapping): Span {
  return root.entries[0]?.key.span ?? root.span;
}

function outside(code: DiagnosticCode, span: Span, message: string, help?: string): Classification {
  const outsider = { is: "outside", code, span, message } as const;
  return help === undefined ? outsider : { ...outsider, help };
}
