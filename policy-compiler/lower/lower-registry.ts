import type { ExtensionProvider, ServiceDocument, WorkloadDocument } from "#policy-compiler/document/model";
import { providerSource, serviceSource } from "#policy-compiler/document/provider-sources";
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
    ...serviceSource(service, workloads),
    origin: context.locate(service.head.file, service.head.span.start),
  }));
}

export function lowerProviders(providers: readonly ExtensionProvider[]): readonly Provider[] {
  return providers.map((provider) => {
    const { name, kind, options } = providerSource(provider);
    return { name, kind, options: JSON.stringify(options) };
  });
}
