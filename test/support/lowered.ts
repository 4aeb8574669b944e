import assert from "node:assert/strict";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { lowerDocuments } from "#policy-compiler/lower/lower";
import type { FieldTest, RuleBody, RuleSet } from "#policy-compiler/ruleset/model";
import type { Finding } from "#policy-compiler/source/diagnostic";
import { LineTables } from "#policy-compiler/source/locate";

/**
 * Lowers YAML texts, given by file name, without validating them: lowering is total, and what validation would refuse has a
 * meaning too. The texts must decode.
 */
export function lowered(files: Readonly<Record<string, string>>): {
  readonly ruleSet: Omit<RuleSet, "index">;
  readonly findings: readonly Finding[];
} {
  const sources = Object.entries(files).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
  const { documents, findings, texts } = decodeDocuments(sources, {});
  assert.deepEqual(findings, []);
  const lines = new LineTables(texts);
  return lowerDocuments(documents, (file, offset) => ({ file, ...lines.locate(file, offset) }));
}

/** An AuthorizationPolicy `p` in namespace `foo` with this spec (flow style). */
export function policyYaml(spec: string, metadata = "{name: p, namespace: foo}"): string {
  return `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

/** The fields of a body in short: `from[0].principals`. */
export function outline(body: RuleBody | undefined): readonly string[] | undefined {
  if (body === undefined) return undefined;
  const entry = (side: string) => (fields: readonly FieldTest[], i: number) =>
    fields.length === 0 ? [`${side}[${i}] any`] : fields.map(({ field }) => `${side}[${i}].${field}`);
  return [
    ...body.to.flatMap(entry("to")),
    ...body.from.flatMap(entry("from")),
    ...body.when.map(({ field }) => `when ${field}`),
  ];
}
