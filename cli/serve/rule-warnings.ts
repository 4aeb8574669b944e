import type { Origin, RuleSet } from "#policy-compiler/ruleset/model";
import { resolveProviders } from "#policy-compiler/ruleset/providers/resolve";

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly origin: Origin;
}

/** So many objects are named one by one. */
const named = 10;

/**
 * What the rules in force ask for that is not enforced as Istio would, one line each kind; also of rules that were compiled elsewhere, whose
 * diagnostics are not here.
 */
export function ruleWarnings(ruleSet: RuleSet): string[] {
  const { policies, peerAuthentications } = ruleSet;
  const resolutions = resolveProviders(ruleSet);
  const unresolved = policies.filter(
    ({ stage, provider }) => stage === "custom" && resolutions.get(provider ?? "")?.ok !== true,
  );
  const disabled = peerAuthentications.filter(
    ({ mode, ports }) => mode === "DISABLE" || ports.some(([, its]) => its === "DISABLE"),
  );
  return [
    ...told("action CUSTOM: the provider does not resolve, requests that match are denied", unresolved),
    ...told("mode DISABLE: where Envoy terminates TLS all the same, identities count as sent", disabled),
  ];
}

function told(sentence: string, objects: readonly Named[]): string[] {
  if (objects.length === 0) return [];
  const names = objects
    .slice(0, named)
    .map(({ namespace, name, origin }) => `${namespace}/${name} (${origin.file}:${origin.line})`);
  const more = objects.length > named ? [`${objects.length - named} more`] : [];
  return [`${sentence}: ${[...names, ...more].join(", ")}`];
}
