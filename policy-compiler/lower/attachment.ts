import type { Placement, Selector, TargetRef } from "#policy-compiler/document/model";
import type { Attachment } from "#policy-compiler/ruleset/model";

export type Labels = readonly (readonly [key: string, value: string])[];

/**
 * Which workloads a policy selects, before a workload is known. References win over a selector, also when none of them can
 * ever fit; the deprecated singular `targetRef` counts where `targetRefs` is empty (Istio: GetTargetRefs).
 */
export function lowerAttachment(placement: Placement, policyNamespace: string): Attachment {
  const written =
    placement.targetRefs.length === 0 && placement.targetRef !== undefined
      ? [placement.targetRef]
      : placement.targetRefs;
  if (written.length === 0) return { kind: "selector", labels: selectorLabels(placement.selector) };
  return { kind: "targetRefs", refs: written.filter((ref) => isLocal(ref, policyNamespace)).map(lowerRef) };
}

/** The labels of a selector, by key. One that is absent or without labels gives none. */
export function selectorLabels(selector: Selector | undefined): Labels {
  return sortedLabels((selector?.matchLabels ?? []).map(({ key, value }) => [key.value, value.value] as const));
}

export function sortedLabels(labels: Iterable<readonly [key: string, value: string]>): Labels {
  return [...new Map(labels)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A reference into another namespace never fits. */
function isLocal(ref: TargetRef, policyNamespace: string): boolean {
  const namespace = ref.namespace?.value ?? "";
  return namespace === "" || namespace === policyNamespace;
}

function lowerRef(ref: TargetRef): { readonly group: string; readonly kind: string; readonly name: string } {
  const group = ref.group?.value ?? "";
  // Istio compares groups in their canonical form, in which the core group has a name.
  return { group: group === "core" ? "" : group, kind: ref.kind?.value ?? "", name: ref.name?.value ?? "" };
}
