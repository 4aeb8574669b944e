import type { ExtensionProvider, ServiceDocument, WorkloadDocument } from "#policy-compiler/document/model";
import type { Provider, RegisteredService, RegisteredWorkload } from "#policy-compiler/ruleset/model";
import { sortedLabels } from "./attachment.ts";
import type { LowerContext } from "./context.ts";

/** WorkloadEntries, then the inline endpoints of ServiceEntries. */
export function lowerWorkloads(
  workloads: readonly WorkloadDocument[],
  services: readonly ServiceDocument[],
  context: LowerContext,
): readonly RegisteredWorkload[] {
  const entries = workloads.map(
    ({ head, labels, serviceAccount, address }): RegisteredWorkload => ({
      namespace: head.namespace.value,
      name: head.name.value,
      // Labels of the metadata win over those of the spec (Istio: ConvertWorkloadEntry).
      labels: sortedLabels([...labels, ...[...head.labels].map(([key, { value }]) => [key, value] as const)]),
      serviceAccount: serviceAccount?.value,
      address: address?.value,
      origin: context.locate(head.file, head.span.start),
    }),
  );
  const endpoints = services.flatMap(({ head, endpoints }) =>
    endpoints.map(
      ({ labels, serviceAccount, address }, i): RegisteredWorkload => ({
        namespace: head.namespace.value,
        name: `${head.name.value}/${i}`,
        labels: sortedLabels(labels),
        serviceAccount: serviceAccount?.value,
        address: address?.value,
        origin: context.locate(head.file, (address?.span ?? head.span).start),
      }),
    ),
  );
  return [...entries, ...endpoints];
}

export function lowerServices(
  services: readonly ServiceDocument[],
  workloads: readonly WorkloadDocument[],
  context: LowerContext,
): readonly RegisteredService[] {
  return services.map((service) => ({
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
    origin: context.locate(service.head.file, service.head.span.start),
  }));
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

const providerKinds = {
  envoyExtAuthzHttp: "http",
  envoyExtAuthzGrpc: "grpc",
  other: "other",
} as const satisfies Record<ExtensionProvider["kind"], Provider["kind"]>;

export function lowerProviders(providers: readonly ExtensionProvider[]): readonly Provider[] {
  return providers.map(({ name, kind, options }) => ({
    name: name.value,
    kind: providerKinds[kind],
    options: JSON.stringify(options),
  }));
}
