import { quote } from "#identity/encoding/quote";
import type { Provider, RegisteredService, RuleSet, ServicePort } from "#policy-compiler/ruleset/model";
import { type OptionFault, type ProviderOptions, readProviderOptions } from "./options.ts";
import { parseServiceName, type ServiceName } from "./service-name.ts";

/** Where a provider is asked. */
export interface ProviderTarget {
  /** Host name of the service: the authority of gRPC calls, the name in certificates. */
  readonly host: string;
  readonly tls: boolean;
  /** Any of them; none: `fault` says why, and every question fails as a question to an unreachable provider does. */
  readonly endpoints: readonly ProviderEndpoint[];
  readonly fault: string | undefined;
}

export type ProviderEndpoint =
  /** An IP address or a name for DNS. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface ResolvedProvider {
  readonly ok: true;
  readonly name: string;
  readonly kind: "http" | "grpc";
  readonly options: ProviderOptions;
  readonly target: ProviderTarget;
}

/** Istio denies every request that would ask it, under keys that end so. */
export type UnresolvedProvider = {
  readonly ok: false;
  readonly name: string;
  readonly kind: Provider["kind"];
} & OptionFault;

/** Istio ends the key of the rule so by which requests are denied whose provider will not do. */
export const UNRESOLVED_SUFFIX = "-deny-due-to-bad-CUSTOM-action";

export type ProviderResolution = ResolvedProvider | UnresolvedProvider;

/** What is needed of a provider and of the services; documents give it as well as a rule set. */
export type ProviderSource = Pick<Provider, "name" | "kind"> & { readonly options: Readonly<Record<string, unknown>> };
export type ServiceSource = Pick<RegisteredService, "namespace" | "hosts" | "ports" | "resolution" | "endpoints">;

/** Every extension provider of a rule set by name. Total, pure. A name that is not in it is not defined. */
export function resolveProviders(
  ruleSet: Pick<RuleSet, "providers" | "services">,
): ReadonlyMap<string, ProviderResolution> {
  const resolutions = new Map<string, ProviderResolution>();
  for (const provider of ruleSet.providers) {
    // The first of a name; the compiler takes no second one.
    if (resolutions.has(provider.name)) continue;
    const source = { ...provider, options: parseOptions(provider.options) };
    resolutions.set(provider.name, resolveProvider(source, ruleSet.services));
  }
  return resolutions;
}

function parseOptions(text: string): Readonly<Record<string, unknown>> {
  try {
    const options: unknown = JSON.parse(text);
    if (typeof options === "object" && options !== null) return options as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  // Options that are no JSON lack their port, and are refused for that.
  return {};
}

/** Why a name cannot be a provider's, or undefined: Istio's `validateProviderName`. */
export function providerNameFault(name: string): string | undefined {
  if (name.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined;
  return `expected a provider name of at most 63 small letters, digits and inner \`-\`, found ${quote(name)}`;
}

/** Resolves one provider: its name, its options, and the service among those known (Istio: `LookupCluster`). */
export function resolveProvider(provider: ProviderSource, services: readonly ServiceSource[]): ProviderResolution {
  const { name, kind } = provider;
  const refuse = (why: string) => ({ ok: false, name, kind, refusedBy: "istio", why }) as const;
  const nameFault = providerNameFault(name);
  if (nameFault !== undefined) return refuse(nameFault);
  if (kind === "other") return refuse("expected a provider of kind ext_authz, found one of another kind");
  const read = readProviderOptions(kind, provider.options);
  if (!read.ok) return { ...read, name, kind };
  const { options } = read;
  const { namespace, host } = options.service;
  const known = services.filter((service) => isService(service, options.service));
  const [service] = known;
  if (service === undefined) {
    const where = namespace === undefined ? "" : ` in namespace ${quote(namespace)}`;
    return refuse(`expected a ServiceEntry with host ${quote(host)}${where}, found none`);
  }
  if (known.some((other) => other.namespace !== service.namespace))
    return refuse(`expected host ${quote(host)} in one namespace, found it in several: write \`namespace/host\``);
  return { ok: true, name, kind, options, target: targetOf(service, host, options.port) };
}

/** Protocols of a port at which TLS is spoken. */
const TLS_PROTOCOLS: ReadonlySet<string> = new Set(["HTTPS", "TLS"]);

function targetOf(service: ServiceSource, host: string, port: number): ProviderTarget {
  const found = service.ports.find(({ number }) => number === port);
  const nowhere = (fault: string) => ({ host, tls: false, endpoints: [], fault });
  if (found === undefined) return nowhere(`service ${quote(host)} has no port ${port}`);
  const endpoints = endpointsOf(service, host, found);
  if (endpoints.length === 0)
    return nowhere(`service ${quote(host)} (resolution ${service.resolution}) has no address`);
  return { host, tls: TLS_PROTOCOLS.has(found.protocol.toUpperCase()), endpoints, fault: undefined };
}

function endpointsOf(service: ServiceSource, host: string, port: ServicePort): readonly ProviderEndpoint[] {
  // Without resolution a proxy goes where its client meant to go, which here is nowhere.
  if (service.resolution === "NONE") return [];
  if (service.endpoints.length === 0) {
    const byDns = service.resolution !== "STATIC" && !host.includes("*");
    return byDns ? [{ kind: "tcp", host, port: port.targetPort ?? port.number }] : [];
  }
  return service.endpoints.map(({ address, ports }): ProviderEndpoint => {
    if (address.startsWith("unix://")) return { kind: "unix", path: address.slice("unix://".length) };
    return { kind: "tcp", host: address, port: endpointPort(ports, port) };
  });
}

/** The port that an endpoint listens on for a port of its service: its own of that name, the target port, or the same. */
export function endpointPort(ports: readonly (readonly [name: string, port: number])[], port: ServicePort): number {
  const own = ports.find(([name]) => name === port.name)?.[1];
  return own || (port.targetPort ?? port.number);
}

/** Is an ext_authz provider, however wrong its other options, asked at this service? */
export function isServiceOfProvider(
  service: Pick<ServiceSource, "namespace" | "hosts">,
  provider: ProviderSource,
): boolean {
  const named = provider.options["service"];
  const name = typeof named === "string" ? parseServiceName(named) : undefined;
  return name !== undefined && isService(service, name);
}

function isService(service: Pick<ServiceSource, "namespace" | "hosts">, { namespace, host }: ServiceName): boolean {
  return service.hosts.includes(host) && (namespace === undefined || service.namespace === namespace);
}
