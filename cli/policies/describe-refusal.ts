import type { Verdict } from "#authz/check/verdict";
import { suggest } from "#policy-compiler/document/suggest";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { WorkloadDescription } from "../request/description.ts";

/** Is this a refusal that says nothing of the policies: the description did not reach them? */
export function isBesidePolicies(reason: string): boolean {
  return reason.startsWith("workload/") || reason === "request/unreadable";
}

/** Why a described workload was refused, with the registered one that was probably meant. `place` is where it was described. */
export function describeRefusal(
  { decision, detail }: Pick<Verdict, "decision" | "detail">,
  described: WorkloadDescription | undefined,
  { workloads }: Pick<RuleSet, "workloads">,
  place: string,
): string {
  const meant = decision.reason === "workload/unknown" && described && meantWorkload(described, workloads);
  const why = [decision.reason, ...(detail === undefined ? [] : [detail])].join(": ");
  return `no policy was asked: ${why} (described at ${place}${meant ? `; did you mean ${meant}?` : ""})`;
}

function meantWorkload(
  { namespace, workload: name }: WorkloadDescription,
  workloads: RuleSet["workloads"],
): string | undefined {
  if (name === undefined) return undefined;
  const here = namespace === undefined ? workloads : workloads.filter((entry) => entry.namespace === namespace);
  const alike = suggest(
    name,
    here.map((entry) => entry.name),
  );
  if (alike !== undefined) return `\`${alike}\``;
  const elsewhere = workloads.find((entry) => entry.name === name);
  return elsewhere && `namespace \`${elsewhere.namespace}\``;
}
