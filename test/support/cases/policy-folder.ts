import type { SourceFile } from "#policy-compiler/compile";
import { caseServiceEntries } from "../providers/case-services.ts";
import type { PolicyObject, Setting } from "./case.ts";

/** Where a provider of a case listens, by its name. */
export type ProviderPorts = ReadonlyMap<string, number>;

/** The policy folder that a setting describes: `mesh.yaml`, one JSON document a policy, and a ServiceEntry for each host of a provider. */
export function policyFolder(setting: Setting, ports: ProviderPorts): readonly SourceFile[] {
  const mesh = setting.mesh ?? {};
  const document = {
    rootNamespace: mesh.rootNamespace ?? "istio-system",
    trustDomain: mesh.trustDomain ?? "cluster.local",
    trustDomainAliases: mesh.trustDomainAliases ?? [],
    pathNormalization: { normalization: mesh.pathNormalization ?? "BASE" },
    extensionProviders: mesh.extensionProviders ?? [],
    defaultConfig: { gatewayTopology: { numTrustedProxies: setting.workload?.numTrustedProxies ?? 0 } },
  };
  const policies = (setting.policies ?? []).map(policyFile);
  const services = caseServiceEntries(setting, (provider) => ports.get(provider)).map((service, i) =>
    asFile(`service-${i}.json`, service),
  );
  return [asFile("mesh.yaml", document), ...services, ...withCreationTimes(policies)];
}

/** The extension providers that a setting names, by which servers are started for them. */
export function meshProviders(setting: Setting): readonly { readonly name: string; readonly kind: "http" | "grpc" }[] {
  return ((setting.mesh?.extensionProviders ?? []) as readonly Readonly<Record<string, unknown>>[]).flatMap(
    (provider) => {
      if (typeof provider["name"] !== "string") return [];
      const kind = provider["envoyExtAuthzHttp"] === undefined ? ("grpc" as const) : ("http" as const);
      return [{ name: provider["name"], kind }];
    },
  );
}

/** The folder of a validation case: the one object alone. */
export function validationFolder(policy: PolicyObject): readonly SourceFile[] {
  return [policyFile(policy, 0)].map(({ path, policy: object }) => asFile(path, object));
}

function policyFile(policy: PolicyObject, ordinal: number): { path: string; policy: PolicyObject } {
  return { path: `${String(ordinal).padStart(4, "0")}.json`, policy };
}

/** An API server stamps every object: the order listed counts unless all of them say their time themselves. */
function withCreationTimes(policies: readonly { path: string; policy: PolicyObject }[]): readonly SourceFile[] {
  const stamped = policies.every(({ policy }) => policy.metadata?.creationTimestamp !== undefined);
  return policies.map(({ path, policy }, ordinal) => {
    if (stamped) return asFile(path, policy);
    const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + ordinal * 1000).toISOString().replace(".000Z", "Z");
    return asFile(path, { ...policy, metadata: { ...policy.metadata, creationTimestamp } });
  });
}

function asFile(path: string, document: unknown): SourceFile {
  return { path, bytes: new TextEncoder().encode(JSON.stringify(document)) };
}
