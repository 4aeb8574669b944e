import type { Provider, RegisteredService } from "#policy-compiler/ruleset/model";
import type { ProviderSource } from "#policy-compiler/ruleset/providers/resolve";
import type { ExtensionProvider, ServiceDocument, WorkloadDocument } from "./model.ts";

const kinds = {
  envoyExtAuthzHttp: "http",
  envoyExtAuthzGrpc: "grpc",
  other: "other",
} as const satisfies Record<ExtensionProvider["kind"], Provider["kind"]>;

/** A provider as it is resolved, its options still as written. */
export function providerSource({ name, kind, options }: ExtensionProvider): ProviderSource {
  return { name: name.value, kind: kinds[kind], options };
}

/** A service with its ports and addresses, those of the WorkloadEntries that it selects included. */
export function serviceSource(
  service: ServiceDocument,
  workloads: readonly WorkloadDocument[],
): Omit<RegisteredService, "origin"> {
  return {
    namespace: service.head.namespace.value,
    name: service.head.name.value,
    hosts: service.hosts.map(({ value }) => value),
    ports: service.ports
      .filter(({ number, targetPort }) => isPort(number) && isPort(targetPort ?? 0))
      .map(({ number, name, protocol, targetPort }) => ({ number, name, protocol, targetPort })),
    resolution: service.resolution ?? "NONE",
    endpoints: [...service.endpoints, ...selectedBy(service, workloads)].flatMap(({ address, ports }) =>
      address === undefined ? [] : [{ address: address.value, ports: [...ports].filter(([, port]) => isPort(port)) }],
    ),
  };
}

/** The WorkloadEntries that a ServiceEntry selects; a selector without labels selects all of the namespace. */
function selectedBy(service: ServiceDocument, workloads: readonly WorkloadDocument[]): readonly WorkloadDocument[] {
  if (service.workloadSelector === undefined) return [];
  const wanted = [...service.workloadSelector];
  return workloads.filter(
    ({ head, labels }) =>
      head.namespace.value === service.head.namespace.value &&
      // Labels of the metadata win over those of the spec (Istio: ConvertWorkloadEntry).
      wanted.every(([key, value]) => (head.labels.get(key)?.value ?? labels.get(key)) === value),
  );
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= 65535;
}
