import { quote } from "#identity/encoding/quote";
import type { Selector, WorkloadRegistrationDocument } from "#policy-compiler/document/model";
import { suggest } from "#policy-compiler/document/suggest";
import type { Label, RegisteredScope, RegisteredWorkloads } from "./registered-workloads.ts";
import type { AnyRow, Fault, Subjects } from "./rule.ts";

/**
 * A policy that applies to no registered workload. Istio takes it, and a slip of the pen in a label or a namespace opens what the
 * policy was to protect. Nothing is said where no workload is registered: then proxies describe theirs by labels alone.
 */
export const selectionRows: readonly AnyRow[] = [
  {
    code: "lint/selects-nothing",
    about: "document",
    *find(policy, mesh, { workloads: registered }) {
      if (policy.type === "WorkloadRegistration") return;
      const { targetRef, targetRefs, selector } = placementOf(policy);
      if (registered.isEmpty || targetRef !== undefined || targetRefs.length > 0) return;
      const { namespace } = policy.head;
      const isRoot = namespace.value === mesh.rootNamespace;
      const scope = registered.scope(isRoot ? undefined : namespace.value);
      if (scope === undefined) {
        yield {
          span: namespace.span,
          message: `expected a namespace with a registered workload, found ${quote(namespace.value)}, in which the policy applies to none`,
          help: namespaceHelp(namespace.value, registered),
        };
      } else if (selector !== undefined)
        yield* unmatched(selector, scope, isRoot ? "" : ` in ${quote(namespace.value)}`);
    },
  },
];

function placementOf(policy: Exclude<Subjects["document"], WorkloadRegistrationDocument>): Subjects["placement"] {
  return policy.type === "PeerAuthentication"
    ? { selector: policy.selector, targetRef: undefined, targetRefs: [] }
    : policy.placement;
}

function* unmatched({ span, matchLabels }: Selector, scope: RegisteredScope, where: string): Iterable<Fault> {
  const wanted = matchLabels.map(({ key, value }) => ({ key: key.value, value: value.value, span: value.span }));
  if (scope.fits(wanted)) return;
  // One label that nobody has is the likely slip; otherwise it is how they come together.
  const lonely = wanted.find((label) => !scope.has(label));
  const shown = (lonely === undefined ? wanted : [lonely]).map(textOf).map(quote).join(" with ");
  yield {
    span: lonely?.span ?? span,
    message: `expected labels of a registered workload${where}, found ${shown}, so that the policy applies to none`,
    help: labelHelp(lonely, scope, where),
  };
}

/** At most so many are listed. */
const listed = 6;

function labelHelp(lonely: Label | undefined, scope: RegisteredScope, where: string): string {
  const known = scope.labels.map(textOf);
  const meant = lonely && suggest(textOf(lonely), known);
  if (meant !== undefined) return `did you mean ${quote(meant)}?`;
  return known.length === 0 ? `the workloads${where} have no labels` : `labels of workloads${where}: ${list(known)}`;
}

function namespaceHelp(namespace: string, { namespaces }: RegisteredWorkloads): string {
  const meant = suggest(namespace, namespaces);
  return meant === undefined
    ? `namespaces with registered workloads: ${list(namespaces)}`
    : `did you mean ${quote(meant)}?`;
}

function textOf({ key, value }: Label): string {
  return `${key}: ${value}`;
}

function list(texts: readonly string[]): string {
  const shown = texts.slice(0, listed).map(quote).join(", ");
  return texts.length > listed ? `${shown}, …` : shown;
}
