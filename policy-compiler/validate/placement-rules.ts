import { quote } from "#identity/encoding/quote";
import type { Placement, TargetRef } from "#policy-compiler/document/model";
import { parseGoBoolean } from "#policy-compiler/document/values/go-boolean";
import type { Span } from "#policy-compiler/source/diagnostic";
import { found } from "./quote.ts";
import type { AnyRow } from "./rule.ts";

const dryRun = "istio.io/dry-run";

/** Annotations that Istio's webhook refuses on whatever carries them. */
const internalAnnotations = [
  "internal.istio.io/webhook-always-reject",
  "internal.istio.io/parent-namespace",
  "internal.istio.io/parents",
] as const;

/** What policies can attach to, by API group (`core` is the empty one) and kind. Istio: AuthorizationPolicy, targetRefs. */
const targetKinds: readonly { readonly group: string; readonly kind: string }[] = [
  { group: "core", kind: "Service" },
  { group: "networking.istio.io", kind: "ServiceEntry" },
  { group: "gateway.networking.k8s.io", kind: "Gateway" },
  { group: "gateway.networking.k8s.io", kind: "GatewayClass" },
];

/** Rows about a document's annotations. Istio looks at nothing else of a document that fails here; we do. */
export const metadataRows: readonly AnyRow[] = [
  {
    code: "metadata/dry-run-kind",
    about: "document",
    *find(document) {
      const annotation = document.head.annotations.get(dryRun);
      if (annotation === undefined || document.type === "AuthorizationPolicy") return;
      yield {
        span: annotation.span,
        message: `expected \`${dryRun}\` on an AuthorizationPolicy only, found it on ${document.type}`,
        help: "remove the annotation",
      };
    },
  },
  {
    code: "metadata/dry-run-action",
    about: "policy",
    *find({ head, action }) {
      const annotation = head.annotations.get(dryRun);
      if (annotation === undefined || action.value === "ALLOW" || action.value === "DENY") return;
      yield {
        span: annotation.span,
        message: `expected \`${dryRun}\` with action ALLOW or DENY, found action ${quote(action.value)}`,
        help: "remove the annotation, or the policy",
      };
    },
  },
  {
    code: "metadata/dry-run-value",
    about: "policy",
    *find({ head, action }) {
      const annotation = head.annotations.get(dryRun);
      if (annotation === undefined || (action.value !== "ALLOW" && action.value !== "DENY")) return;
      if (parseGoBoolean(annotation.value) !== undefined) return;
      yield {
        span: annotation.span,
        message: `expected a boolean for \`${dryRun}\`, ${found(annotation.value)}`,
        help: 'write `"true"` or `"false"`',
      };
    },
  },
  {
    code: "metadata/internal-annotation",
    about: "document",
    *find({ head }) {
      for (const name of internalAnnotations) {
        const annotation = head.annotations.get(name);
        if (annotation === undefined) continue;
        yield {
          span: annotation.span,
          message: `expected no annotation that Istio keeps for itself, found ${quote(name)}`,
          help: "remove the annotation",
        };
      }
    },
  },
];

/** Rows about where a document applies: its selector or its target references. */
export const placementRows: readonly AnyRow[] = [
  {
    code: "placement/exclusive",
    about: "placement",
    *find(placement) {
      const ways = waysToPlace(placement);
      const second = ways[1];
      if (second === undefined) return;
      yield {
        span: second.span,
        message: `expected one of selector, targetRef and targetRefs, found ${ways.map(({ field }) => `\`${field}\``).join(" and ")}`,
        help: "keep one of them, or write two policies",
      };
    },
  },
  {
    code: "placement/label-key-empty",
    about: "placement",
    *find({ selector }) {
      for (const { key, value } of selector?.matchLabels ?? []) {
        if (key.value !== "") continue;
        yield { span: key.span, message: `expected a label key, found empty text for the value ${quote(value.value)}` };
      }
    },
  },
  {
    code: "placement/label-wildcard",
    about: "placement",
    *find({ selector }) {
      for (const { key, value } of selector?.matchLabels ?? []) {
        for (const part of [key, value]) {
          if (!part.value.includes("*")) continue;
          yield {
            span: part.span,
            message: `expected a label without wildcard, found ${quote(part.value)}`,
            help: "labels are compared whole; leave the label out to select every value of it",
          };
        }
      }
    },
  },
  {
    code: "placement/no-labels",
    about: "placement",
    *find({ selector }) {
      if (selector === undefined || selector.matchLabels.length > 0) return;
      yield {
        span: selector.span,
        message: "expected labels in the selector, found none, which selects every workload in scope",
        help: "remove `selector` if that is meant",
      };
    },
  },
  {
    code: "placement/target-name-missing",
    about: "placement",
    *find(placement) {
      for (const target of targets(placement)) {
        if ((target.name?.value ?? "") !== "") continue;
        yield {
          span: target.name?.span ?? target.span,
          message: "expected a target reference with a name, found none",
        };
      }
    },
  },
  {
    code: "placement/target-namespace",
    about: "placement",
    *find(placement) {
      for (const { namespace } of targets(placement)) {
        if (namespace === undefined || namespace.value === "") continue;
        yield {
          span: namespace.span,
          message: `expected a target reference without namespace, ${found(namespace.value)}`,
          help: "a policy attaches in its own namespace: remove `namespace` and put the policy there",
        };
      }
    },
  },
  {
    code: "placement/target-kind",
    about: "placement",
    *find(placement) {
      for (const target of targets(placement)) {
        const kind = target.kind?.value ?? "";
        const group = target.group?.value ?? "";
        if (targetKinds.some((known) => known.kind === kind && known.group === (group || "core"))) continue;
        const known = targetKinds.map((row) => `\`${row.group}/${row.kind}\``).join(", ");
        yield {
          span: target.kind?.span ?? target.span,
          message: `expected a target of ${known}, found ${quote(`${group || "core"}/${kind}`)}`,
          ...(group === "" && kind !== "Service" && { help: "the core group is meant where `group` is not written" }),
        };
      }
    },
  },
];

function waysToPlace({ selector, targetRef, targetRefs }: Placement): readonly { field: string; span: Span }[] {
  const [first] = targetRefs;
  return [
    ...(selector === undefined ? [] : [{ field: "selector", span: selector.span }]),
    ...(targetRef === undefined ? [] : [{ field: "targetRef", span: targetRef.span }]),
    ...(first === undefined ? [] : [{ field: "targetRefs", span: first.span }]),
  ];
}

function targets({ targetRef, targetRefs }: Placement): readonly TargetRef[] {
  return targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
}
