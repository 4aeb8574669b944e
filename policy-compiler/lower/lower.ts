import type { DocumentSet } from "#policy-compiler/document/model";
import type { Origin, RuleSet } from "#policy-compiler/ruleset/model";
import type { Finding } from "#policy-compiler/source/diagnostic";
import type { LowerContext } from "./context.ts";
import { lowerPeerAuthentications, lowerRequestAuthentications } from "./lower-authentications.ts";
import { lowerPolicies } from "./lower-policies.ts";
import { lowerRegistrations } from "./lower-registrations.ts";
import { lowerProviders, lowerServices, lowerWorkloads } from "./lower-registry.ts";

/**
 * The rule set that validated documents mean, without its index. `locate` turns an offset of a file into line and column.
 *
 * Total: what validation would have refused is degraded as Istio's compiler degrades it, and a finding that is an error says so,
 * so that a gap in validation refuses the folder and widens nothing in silence.
 */
export function lowerDocuments(
  documents: DocumentSet,
  locate: (file: string, offset: number) => Origin,
): { readonly ruleSet: Omit<RuleSet, "index">; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const { rootNamespace, trustDomain, trustDomainAliases, pathNormalization, numTrustedProxies } = documents.mesh;
  const context: LowerContext = {
    trustDomains: [trustDomain, ...trustDomainAliases],
    locate,
    report: (finding) => findings.push(finding),
  };
  const { policies, rules } = lowerPolicies(documents.authorizationPolicies, context);
  const ruleSet = {
    mesh: { rootNamespace, trustDomain, trustDomainAliases, pathNormalization, numTrustedProxies },
    policies,
    rules,
    peerAuthentications: lowerPeerAuthentications(documents.peerAuthentications, context),
    requestAuthentications: lowerRequestAuthentications(documents.requestAuthentications, context),
    workloads: lowerWorkloads(documents.workloads, documents.services, documents.mesh.extensionProviders, context),
    services: lowerServices(documents.services, documents.workloads, context),
    providers: lowerProviders(documents.mesh.extensionProviders),
    registrations: lowerRegistrations(documents.registrations, context),
  };
  return { ruleSet, findings };
}
