import type { AuthorizationPolicy } from "#policy-compiler/document/model";
import { parseGoBoolean } from "#policy-compiler/document/values/go-boolean";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { familyPrefix, type Policy, type Rule, type Stage } from "#policy-compiler/ruleset/model";
import { lowerAttachment } from "./attachment.ts";
import type { LowerContext } from "./context.ts";
import { createInterner } from "./intern.ts";
import { lowerExtension } from "./lower-extension.ts";
import { lowerRule } from "./lower-rule.ts";

/** Policies and their rules in the order of the rule set. A policy without rules is a policy all the same. */
export function lowerPolicies(
  documents: readonly AuthorizationPolicy[],
  context: LowerContext,
): { readonly policies: readonly Policy[]; readonly rules: readonly Rule[] } {
  const intern = createInterner();
  const sorted = sortByKey(documents, policyKey);
  const rules: { readonly key: string; readonly rule: Rule }[] = [];
  for (const [policy, document] of sorted.entries()) {
    const { file, namespace } = document.head;
    const ruleContext = {
      trustDomains: context.trustDomains,
      policyNamespace: namespace.value,
      action: document.action.value,
      file,
      intern,
      report: context.report,
    };
    for (const [ordinal, written] of document.rules.entries()) {
      const origin = context.locate(file, written.span.start);
      const lowered = { policy, ordinal, origin, ...lowerRule(written, ruleContext) };
      const extension = written.extension && lowerExtension(written.extension, file, context);
      const rule: Rule = extension === undefined ? lowered : { ...lowered, extension };
      rules.push({ key: `${policyKey(document)}-rule[${ordinal}]`, rule });
    }
  }
  return {
    policies: sorted.map((document) => lowerPolicy(document, context)),
    rules: sortByKey(rules, ({ key }) => key).map(({ rule }) => rule),
  };
}

/** The key of a policy without its provider: rules of several providers never compete. */
function policyKey({ family, head }: AuthorizationPolicy): string {
  return `${familyPrefix(family === "garita" ? family : undefined)}ns[${head.namespace.value}]-policy[${head.name.value}]`;
}

/** ORDER: UTF-8 bytes, as Envoy orders the rules of a filter; policies of one key keep their order in the folder. */
function sortByKey<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const keyed = items.map((item) => ({ key: toByteString(keyOf(item)), item }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ item }) => item);
}

function lowerPolicy(document: AuthorizationPolicy, context: LowerContext): Policy {
  const { family, head, action, provider, placement } = document;
  return {
    ...(family === "garita" && { family }),
    namespace: head.namespace.value,
    name: head.name.value,
    stage: stageOf(document),
    provider: action.value === "CUSTOM" ? (provider?.value ?? "") : undefined,
    attachment: lowerAttachment(placement, head.namespace.value),
    origin: context.locate(head.file, head.span.start),
  };
}

/** Where a policy is asked. Only ALLOW and DENY can be dry-run; an annotation that is no Go boolean leaves the policy in force. */
export function stageOf({ action, head }: AuthorizationPolicy): Stage {
  const annotation = head.annotations.get("istio.io/dry-run")?.value;
  const dryRun = annotation !== undefined && parseGoBoolean(annotation) === true;
  switch (action.value) {
    case "ALLOW":
      return dryRun ? "dryRunAllow" : "allow";
    case "DENY":
      return dryRun ? "dryRunDeny" : "deny";
    case "AUDIT":
      return "audit";
    case "CUSTOM":
      return "custom";
  }
}
