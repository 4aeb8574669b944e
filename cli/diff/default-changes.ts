import type { Workload } from "#authz/engine/attributes";
import { hasLabels, selectionSubject, selects } from "#authz/engine/selection";
import type { Policy, RuleSet } from "#policy-compiler/ruleset/model";

/** A workload, or those that a policy means, whose default changed: whether what no rule matches is denied. */
export interface DefaultChange {
  readonly workloads: string;
  readonly before: "allow" | "deny";
  readonly after: "allow" | "deny";
  /** The ALLOW policies, `namespace/name`, that select it where the default is to deny. */
  readonly policies: readonly string[];
}

interface Subject {
  readonly name: string;
  readonly workload: Workload;
}

/**
 * Where the first ALLOW policy begins to select a workload, or the last one ends to. Asked about every registered workload that both states have, and about
 * those that policies mean by their selectors and targetRefs, registered or not; of the latter only where no registered one tells it.
 */
export function defaultChanges(before: RuleSet, after: RuleSet): readonly DefaultChange[] {
  const registered = changesOf(registeredIn(before, after), before, after);
  const told = registered.map(({ subject }) => subject.workload);
  const meant = changesOf(meantBy([before, after]), before, after).filter(
    ({ subject: { workload } }) => !told.some((one) => isOneOf(one, workload)),
  );
  return [...registered, ...meant].map(({ change }) => change);
}

function changesOf(subjects: readonly Subject[], before: RuleSet, after: RuleSet) {
  return subjects.flatMap((subject) => {
    const [old, now] = [allowing(before, subject.workload), allowing(after, subject.workload)];
    if ((old.length === 0) === (now.length === 0)) return [];
    const defaultOf = (policies: readonly string[]) => (policies.length === 0 ? "allow" : "deny");
    const policies = now.length === 0 ? old : now;
    const change: DefaultChange = { workloads: subject.name, before: defaultOf(old), after: defaultOf(now), policies };
    return [{ subject, change }];
  });
}

function allowing({ policies, mesh }: RuleSet, workload: Workload): readonly string[] {
  const subject = selectionSubject(mesh, workload);
  return policies
    .filter(({ stage, attachment, namespace }) => stage === "allow" && selects(attachment, namespace, subject))
    .map(({ namespace, name }) => `${namespace}/${name}`);
}

/** Those of the later state that the earlier one has too: a workload that is new has had no default. */
function registeredIn(before: RuleSet, after: RuleSet): readonly Subject[] {
  const known = new Set(before.workloads.map(({ namespace, name }) => `${namespace}/${name}`));
  return after.workloads
    .map(({ namespace, name, labels }) => ({
      name: `${namespace}/${name}`,
      workload: sidecar(namespace, new Map(labels)),
    }))
    .filter(({ name }) => known.has(name));
}

function sidecar(namespace: string, labels: ReadonlyMap<string, string>): Workload {
  return { namespace, name: undefined, labels, kind: "sidecar", gateway: undefined, service: undefined };
}

function meantBy(ruleSets: readonly RuleSet[]): readonly Subject[] {
  const all = ruleSets.flatMap(({ policies, mesh }) =>
    policies.filter(({ stage }) => stage === "allow").flatMap((policy) => subjectsOf(policy, mesh.rootNamespace)),
  );
  return [...new Map(all.map((subject) => [subject.name, subject])).values()];
}

/** No namespace has this name: a workload that nothing but the policies of the root namespace select. */
const anyNamespace = "*";

function subjectsOf({ attachment, namespace }: Policy, rootNamespace: string): readonly Subject[] {
  if (attachment.kind === "selector") {
    const isRoot = namespace === rootNamespace;
    const where = isRoot ? "any namespace" : `namespace ${namespace}`;
    const labels = attachment.labels.map(([key, value]) => `${key}=${value}`).join(" ");
    const name = `workloads of ${where}${labels === "" ? "" : ` with ${labels}`}`;
    return [{ name, workload: sidecar(isRoot ? anyNamespace : namespace, new Map(attachment.labels)) }];
  }
  return attachment.refs.flatMap(({ kind, name }): readonly Subject[] => {
    const base = { namespace, name: undefined, labels: new Map<string, string>() };
    if (kind === "Gateway") {
      const workload: Workload = { ...base, kind: "k8s-gateway", gateway: name, service: undefined };
      return [{ name: `gateway ${namespace}/${name}`, workload }];
    }
    if (kind !== "Service" && kind !== "ServiceEntry") return [];
    const workload: Workload = { ...base, kind: "waypoint", gateway: undefined, service: { namespace, name, kind } };
    return [{ name: `waypoint of ${kind} ${namespace}/${name}`, workload }];
  });
}

/** Is a registered workload one of those that a policy means? */
function isOneOf(registered: Workload, meant: Workload): boolean {
  const isThere = meant.namespace === anyNamespace || meant.namespace === registered.namespace;
  return meant.kind === "sidecar" && isThere && hasLabels(registered.labels, [...meant.labels]);
}
