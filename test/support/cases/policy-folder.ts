import type { SourceFile } from "#policy-compiler/compile";
import type { PolicyObject, ServiceHost, Setting } from "./case.ts";

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
  const services = servicesOf(setting).map((service, i) =>
    asFile(`service-${i}.json`, serviceEntry(setting, service, i, ports)),
  );
  return [asFile("mesh.yaml", document), ...services, ...withCreationTimes(policies)];
}

/** A provider as MeshConfig has it, as far as a case's hosts are concerned. */
interface MeshProvider {
  readonly name?: string;
  readonly envoyExtAuthzHttp?: { readonly service?: string; readonly port?: number };
  readonly envoyExtAuthzGrpc?: { readonly service?: string; readonly port?: number };
}

/** The extension providers that a setting names, with the host and port of each. */
export function meshProviders(setting: Setting): readonly {
  readonly name: string;
  readonly kind: "http" | "grpc";
  readonly host: string;
  readonly namespace: string | undefined;
  readonly port: number;
}[] {
  return ((setting.mesh?.extensionProviders ?? []) as readonly MeshProvider[]).flatMap((provider) => {
    const options = provider.envoyExtAuthzHttp ?? provider.envoyExtAuthzGrpc;
    if (options === undefined || typeof options.service !== "string") return [];
    const [host = "", namespace] = options.service.split("/").reverse();
    const kind = provider.envoyExtAuthzHttp === undefined ? ("grpc" as const) : ("http" as const);
    return [{ name: provider.name ?? "", kind, host, namespace, port: Number(options.port ?? 0) }];
  });
}

function servicesOf(setting: Setting): readonly ServiceHost[] {
  if (setting.services !== undefined) return setting.services;
  const named = meshProviders(setting)
    .filter(({ port }) => port >= 1 && port <= 65535)
    .map(({ host, namespace, port }) => ({ host, namespace: namespace ?? "default", port }));
  return [
    ...new Map(named.map((service) => [`${service.namespace}/${service.host}:${service.port}`, service])).values(),
  ];
}

function serviceEntry(
  setting: Setting,
  { host, namespace, port }: ServiceHost,
  ordinal: number,
  ports: ProviderPorts,
): PolicyObject {
  const provider = meshProviders(setting).find((one) => one.host === host && one.port === port);
  const listening = (provider && ports.get(provider.name)) ?? 1;
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: `service-${ordinal}`, namespace },
    spec: {
      hosts: [host],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: port, name: "auth", protocol: provider?.kind === "grpc" ? "GRPC" : "HTTP" }],
      endpoints: [{ address: "127.0.0.1", ports: { auth: listening } }],
    },
  };
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
