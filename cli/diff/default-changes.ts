import type { Workload } from "#authz/engine/attributes";
import { hasLabels, selectionSubject, selects } from "#authz/engine/selection";
import type { Policy, RuleSet } from "#policy-compiler/ruleset/model";

/** A workload, or those that a policy means, whose default changed: whether what no rule matches is denied. */
export interface DefaultChange {
  readonly workloads: string;
  /** One workload of the registry. Of those that a policy means, others may select some in both states. */
  readonly registered: boolean;
  readonly before: "allow" | "deny";
  readonly after: "allow" | "deny";
  /** The ALLOW policies, `namespace/name`, that select it where the default is to deny. */
  readonly policies: readonly string[];
}

/** As it is in the two states: its labels may have changed. */
interface Subject {
  readonly name: string;
  readonly before: Workload;
  readonly after: Workload;
}

/**
 * Where the first ALLOW policy begins to select a workload, or the last one ends to. Asked about every registered workload that both states have, and about
 * those that policies mean by their selectors and targetRefs, registered or not; of the latter only where no registered one tells it.
 */
export function defaultChanges(before: RuleSet, after: RuleSet): readonly DefaultChange[] {
  const registered = changesOf(registeredIn(before, after), before, after, true);
  const told = Map.groupBy(
    registered.flatMap(({ change, subject }) => {
      const workload = deniedOf(subject, change);
      return [undefined, ...workload.labels].map((label) => ({ workload, file: fileOf(change.after, label) }));
    }),
    ({ file }) => file,
  );
  const meant = changesOf(meantBy([before, after]), before, after, false).filter(({ change, subject }) => {
    const workload = deniedOf(subject, change);
    const file = fileOf(change.after, [...workload.labels][0]);
    return !told.get(file)?.some((one) => isOneOf(one.workload, workload));
  });
  return [...registered, ...meant].map(({ change }) => change);
}

function changesOf(subjects: readonly Subject[], before: RuleSet, after: RuleSet, registered: boolean) {
  const [allowingBefore, allowingAfter] = [allowing(before), allowing(after)];
  return subjects.flatMap((subject) => {
    const [old, now] = [allowingBefore(subject.before), allowingAfter(subject.after)];
    if ((old.length === 0) === (now.length === 0)) return [];
    const defaultOf = (policies: readonly string[]) => (policies.length === 0 ? "allow" : "deny");
    const policies = now.length === 0 ? old : now;
    const defaults = { before: defaultOf(old), after: defaultOf(now) } as const;
    const change: DefaultChange = { workloads: subject.name, registered, ...defaults, policies };
    return [{ subject, change }];
  });
}

/** The workload as policies select it. */
function deniedOf({ before, after }: Subject, change: DefaultChange): Workload {
  return change.after === "deny" ? after : before;
}

/** The ALLOW policies that select a workload. Of many, those of its namespaces are looked at that ask for no label first, or for one of its own. */
function allowing({ policies, mesh }: RuleSet): (workload: Workload) => readonly string[] {
  const filed = Map.groupBy(
    policies.filter(({ stage }) => stage === "allow"),
    ({ attachment, namespace }) => fileOf(namespace, attachment.kind === "selector" ? attachment.labels[0] : undefined),
  );
  return (workload) => {
    const subject = selectionSubject(mesh, workload);
    const files = subject.namespaces.flatMap((namespace) =>
      [undefined, ...subject.labels].map((label) => fileOf(namespace, label)),
    );
    return files
      .flatMap((file) => filed.get(file) ?? [])
      .filter(({ attachment, namespace }) => selects(attachment, namespace, subject))
      .map(({ namespace, name }) => `${namespace}/${name}`);
  };
}

function fileOf(namespace: string, label: readonly [key: string, value: string] | undefined): string {
  return [namespace, ...(label ?? [])].join("\0");
}

/** Those of the later state that the earlier one has too: a workload that is new has had no default. */
function registeredIn(before: RuleSet, after: RuleSet): readonly Subject[] {
  const named = ({ workloads }: RuleSet) =>
    workloads.map(
      ({ namespace, name, labels }) => [`${namespace}/${name}`, sidecar(namespace, new Map(labels))] as const,
    );
  const known = new Map(named(before));
  return named(after).flatMap(([name, workload]) => {
    const old = known.get(name);
    return old === undefined ? [] : [{ name, before: old, after: workload }];
  });
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
    return [unchanged(name, sidecar(isRoot ? anyNamespace : namespace, new Map(attachment.labels)))];
  }
  return attachment.refs.flatMap(({ kind, name }): readonly Subject[] => {
    const base = { namespace, name: undefined, labels: new Map<string, string>() };
    if (kind === "Gateway") {
      const gateway: Workload = { ...base, kind: "k8s-gateway", gateway: name, service: undefined };
      return [unchanged(`gateway ${namespace}/${name}`, gateway)];
    }
    if (kind !== "Service" && kind !== "ServiceEntry") return [];
    const waypoint: Workload = { ...base, kind: "waypoint", gateway: undefined, service: { namespace, name, kind } };
    return [unchanged(`waypoint of ${kind} ${namespace}/${name}`, waypoint)];
  });
}

function unchanged(name: string, workload: Workload): Subject {
  return { name, before: workload, after: workload };
}

/** Is a registered workload one of those that a policy means? */
function isOneOf(registered: Workload, meant: Workload): boolean {
  const isThere = meant.namespace === anyNamespace || meant.namespace === registered.namespace;
  return meant.kind === "sidecar" && isThere && hasLabels(registered.labels, [...meant.labels]);
}
