import type { ExtensionProvider, ServiceDocument, WorkloadDocument } from "#policy-compiler/document/model";
import { providerSource, serviceSource } from "#policy-compiler/document/provider-sources";
import type { Provider, RegisteredService, RegisteredWorkload } from "#policy-compiler/ruleset/model";
import { endpointPort, isServiceOfProvider } from "#policy-compiler/ruleset/providers/resolve";
import { sortedLabels } from "./attachment.ts";
import type { LowerContext } from "./context.ts";

/**
 * WorkloadEntries, then the inline endpoints of ServiceEntries. An endpoint is found by its address at its own ports only, and not at all
 * where a provider is asked there: a folder that merely says where `127.0.0.1:9000` is must not name whoever asks from `127.0.0.1`.
 */
export function lowerWorkloads(
  workloads: readonly WorkloadDocument[],
  services: readonly ServiceDocument[],
  providers: readonly ExtensionProvider[],
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
      ports: undefined,
      origin: context.locate(head.file, head.span.start),
    }),
  );
  const asked = providers.map(providerSource);
  const endpoints = services.flatMap((service) => {
    const { head } = service;
    const source = serviceSource(service, workloads);
    const isAsked = asked.some((provider) => isServiceOfProvider(source, provider));
    return service.endpoints.map(
      ({ labels, serviceAccount, address, ports }, i): RegisteredWorkload => ({
        namespace: head.namespace.value,
        name: `${head.name.value}/${i}`,
        labels: sortedLabels(labels),
        serviceAccount: serviceAccount?.value,
        address: address?.value,
        ports: isAsked ? [] : [...new Set(source.ports.map((port) => endpointPort([...ports], port)))],
        origin: context.locate(head.file, (address?.span ?? head.span).start),
      }),
    );
  });
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
