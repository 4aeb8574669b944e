import { quote } from "#identity/encoding/quote";
import type { AuthorizationPolicy } from "#policy-compiler/document/model";
import { UNRESOLVED_SUFFIX } from "#policy-compiler/ruleset/providers/resolve";
import type { AnyRow, Known } from "./rule.ts";

/**
 * Two CUSTOM policies of one workload that name different providers: Istio asks neither. Told where every workload that one selects the
 * other selects too, or where a registered workload is selected by both. Of targets nothing is known here.
 */
export const severalProvidersRows: readonly AnyRow[] = [
  {
    code: "lint/several-providers",
    about: "policy",
    *find(policy, { rootNamespace }, known) {
      const { provider } = policy;
      if (policy.action.value !== "CUSTOM" || provider === undefined || hasTargets(policy)) return;
      const other = neighbours(policy, rootNamespace, known).find(
        (one) => one.provider?.value !== provider.value && meet(policy, one, rootNamespace, known),
      );
      if (other?.provider === undefined) return;
      const { namespace, name, file } = other.head;
      yield {
        span: provider.span,
        message: `expected one provider for all CUSTOM policies of a workload, found ${quote(provider.value)} beside ${quote(other.provider.value)} of ${quote(`${namespace.value}/${name.value}`)} (${file}), so that requests that match either are denied, by rules whose keys end in \`${UNRESOLVED_SUFFIX}\``,
        help: "name one provider, or select workloads that have no other",
      };
    },
  },
];

/** The policies of whose workloads some may be this policy's too. */
function neighbours(
  { head }: AuthorizationPolicy,
  rootNamespace: string,
  { customPolicies }: Known,
): readonly AuthorizationPolicy[] {
  const ofRoot = customPolicies.get(rootNamespace) ?? [];
  const others =
    head.namespace.value === rootNamespace
      ? [...customPolicies].flatMap(([namespace, policies]) => (namespace === rootNamespace ? [] : policies))
      : (customPolicies.get(head.namespace.value) ?? []);
  return [...others, ...ofRoot].filter((policy) => policy.provider !== undefined && !hasTargets(policy));
}

function hasTargets({ placement: { targetRef, targetRefs } }: AuthorizationPolicy): boolean {
  return targetRef !== undefined || targetRefs.length > 0;
}

function meet(a: AuthorizationPolicy, b: AuthorizationPolicy, rootNamespace: string, { workloads }: Known): boolean {
  const [ofA, ofB] = [labelsOf(a), labelsOf(b)];
  const both = new Map([...ofA, ...ofB]);
  // A label of two values, which no workload has.
  if ([...ofA].some(([key, value]) => both.get(key) !== value)) return false;
  if (both.size === ofA.size || both.size === ofB.size) return true;
  const namespace = [a, b].map(({ head }) => head.namespace.value).find((each) => each !== rootNamespace);
  const wanted = [...both].map(([key, value]) => ({ key, value }));
  return workloads.scope(namespace)?.fits(wanted) === true;
}

function labelsOf({ placement: { selector } }: AuthorizationPolicy): ReadonlyMap<string, string> {
  return new Map(selector?.matchLabels.map(({ key, value }) => [key.value, value.value]));
}
