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

  // --- documents: shape of the objects ---
  "document/unknown-field": {
    severity: "error",
    origin: "garita",
    summary: "A field that the kind does not have. Istio's file loader drops it silently, which widens the rule.",
  },

  // --- mesh.yaml ---

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
