import type { Severity } from "./diagnostic.ts";

/**
 * One row of the table of diagnostics. `origin` tells whose rule it is: `istio` when Istio's own validation says the same,
 * `garita` when the rule is ours (a lint, or a guard that Istio lacks).
 */
export interface CodeRow {
  readonly severity: Severity;
  readonly origin: "istio" | "garita";
  /** One sentence for `docs/diagnostics.md`. */
  readonly summary: string;
}

/** THE table: every diagnostic that the compiler can produce, by its stable code `area/fault`. */
export const diagnosticCodes = {
  // --- folder and YAML ---
  "yaml/syntax": { severity: "error", origin: "garita", summary: "The file is not well-formed YAML or JSON." },
  "yaml/encoding": { severity: "error", origin: "garita", summary: "The file is not UTF-8." },
  "yaml/character": {
    severity: "error",
    origin: "garita",
    summary: "A character that YAML forbids, or that readers of YAML 1.1 and 1.2 understand differently.",
  },
  "yaml/too-large": { severity: "error", origin: "garita", summary: "A file or document beyond the limits of size." },
  "yaml/too-deep": { severity: "error", origin: "garita", summary: "Collections nested beyond the limit." },
  "yaml/too-many-aliases": {
    severity: "error",
    origin: "garita",
    summary: "Aliases that stand for more nodes than the limit: an alias bomb.",
  },
  "yaml/unknown-alias": { severity: "error", origin: "garita", summary: "An alias without an anchor before it." },
  "yaml/duplicate-key": { severity: "error", origin: "garita", summary: "A key that its mapping has already." },
  "yaml/merge-key": { severity: "error", origin: "garita", summary: "A merge key `<<`; fields must be written out." },
  "yaml/tag": { severity: "error", origin: "garita", summary: "A tag other than those of text and collections." },
  "yaml/directive": { severity: "error", origin: "garita", summary: "A `%` directive of YAML." },
  "yaml/key-not-text": {
    severity: "error",
    origin: "garita",
    summary: "A key that is neither text nor a plain decimal number.",
  },
  "folder/too-large": {
    severity: "error",
    origin: "garita",
    summary: "The files of the folder are too large together.",
  },
  "folder/template-braces": {
    severity: "error",
    origin: "garita",
    summary: "The file holds `{{`: it is a template that has not been rendered.",
  },
  "folder/policy-test": {
    severity: "note",
    origin: "garita",
    summary: "A file of policy tests, passed over when policies are compiled.",
  },

  // --- documents: shape of the objects ---
  "document/unknown-field": {
    severity: "error",
    origin: "garita",
    summary: "A field that the kind does not have. Istio's file loader drops it silently, which widens the rule.",
  },
  "document/unknown-field-dropped": {
    severity: "note",
    origin: "garita",
    summary: "A field that the kind does not have, dropped because `istioLax` is on.",
  },
  "document/wrong-type": {
    severity: "error",
    origin: "istio",
    summary: "A value of another type than the field has. Istio cannot decode the object.",
  },
  "document/unknown-enum-value": {
    severity: "error",
    origin: "istio",
    summary: "A value that the field's enumeration does not have. Istio cannot decode the object.",
  },
  "document/no-kind": {
    severity: "note",
    origin: "garita",
    summary: "A document without `apiVersion` and `kind`, passed over.",
  },
  "document/misspelt-head": {
    severity: "error",
    origin: "garita",
    summary:
      "A document whose `apiVersion` or `kind` is missing or misspelt where the rest says that it is one of ours.",
  },
  "document/other-kind": {
    severity: "note",
    origin: "garita",
    summary: "A document of a kind that has no part in policies, passed over.",
  },
  "document/unfamiliar-kind": {
    severity: "warning",
    origin: "garita",
    summary: "A document of a kind that is not known here at all, passed over.",
  },
  "document/misspelt-kind": {
    severity: "error",
    origin: "garita",
    summary: "A kind that is, or is nearly, one of ours, under another API group.",
  },
  "document/unknown-kind": {
    severity: "error",
    origin: "garita",
    summary: "A kind that its API group, one of ours, does not have.",
  },
  "document/unknown-version": {
    severity: "error",
    origin: "garita",
    summary: "A version that its API group, one of ours, does not serve.",
  },
  "document/metadata": {
    severity: "error",
    origin: "garita",
    summary: "Metadata that Kubernetes would refuse: name, namespace or creation time.",
  },
  "document/duplicate-object": {
    severity: "error",
    origin: "garita",
    summary: "Two objects of the same kind, namespace and name.",
  },

  // --- mesh.yaml ---
  "mesh/shape": {
    severity: "error",
    origin: "garita",
    summary: "`mesh.yaml` is not one MeshConfig, or it has a name that is not read.",
  },
  "mesh/unused-field": {
    severity: "note",
    origin: "garita",
    summary: "A field of Istio's MeshConfig that has no effect on decisions here.",
  },
  "mesh/value": { severity: "error", origin: "garita", summary: "A value that the field of `mesh.yaml` cannot have." },

  // --- Istio's validation ---

  // --- lints beyond Istio ---

  // --- lowering ---
  "lowering/foreign-trust-domain": {
    severity: "note",
    origin: "istio",
    summary:
      "A principal of a trust domain that is neither the mesh's own nor one of its aliases; it is kept as written.",
  },
  "lowering/value-dropped": {
    severity: "warning",
    origin: "istio",
    summary:
      "A value or condition that cannot be compiled is left out, so that a DENY, AUDIT or CUSTOM rule matches more.",
  },
  "lowering/rule-dropped": {
    severity: "warning",
    origin: "istio",
    summary: "A rule that cannot be compiled is left out: of an ALLOW policy, or because of an unknown attribute.",
  },
} as const satisfies Record<string, CodeRow>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
