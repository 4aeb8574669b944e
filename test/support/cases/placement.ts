import { asBytes } from "../envoy-front/bytes.ts";
import type {
  Connection,
  DownstreamRequest,
  Listener,
  ListenerMode,
  SocketAddress,
} from "../envoy-front/downstream.ts";
import type { PolicyObject, RequestCase, Setting } from "./case.ts";

const gatewayNameLabel = "gateway.networking.k8s.io/gateway-name";

/** The listener of a setting. `mode` is what PeerAuthentication composed for its port; undefined: admission is off. */
export function listenerOf(setting: Setting, mode: ListenerMode | undefined): Listener {
  const { mesh = {}, workload = {} } = setting;
  const labels = { ...workload.labels };
  if (workload.gateway !== undefined) labels[gatewayNameLabel] = workload.gateway;
  return {
    kind: workload.kind ?? "sidecar",
    protocol: workload.port?.protocol ?? "HTTP",
    numTrustedProxies: workload.numTrustedProxies ?? 0,
    trustDomains: [mesh.trustDomain ?? "cluster.local", ...(mesh.trustDomainAliases ?? [])],
    mode,
    metadataNamespaces: metadataNamespaces(setting.policies ?? []),
    bodyLimit: bodyLimit(setting.mesh?.extensionProviders ?? []),
    workload: {
      namespace: workload.namespace ?? "default",
      labels,
      gateway: workload.gateway,
      service: workload.service && `${workload.serviceKind ?? "Service"}/${workload.service}`,
    },
  };
}

/** Namespaces of dynamic metadata that conditions speak of (`experimental.envoy.filters.NS[KEY]`). */
function metadataNamespaces(policies: readonly PolicyObject[]): readonly string[] {
  const spoken = JSON.stringify(policies).matchAll(/"key":"experimental\.(envoy\.filters\.[^["]*)\[/g);
  return [...new Set(Array.from(spoken, ([, namespace]) => namespace!))];
}

/** The most that a provider wants to see of a body: what our snippets tell Envoy to send. */
function bodyLimit(providers: readonly unknown[]): number | undefined {
  const wanted = providers.flatMap((provider) =>
    Object.values(provider as object).flatMap(
      (options: { includeRequestBodyInCheck?: { maxRequestBytes?: number } }) =>
        options?.includeRequestBodyInCheck === undefined
          ? []
          : [options.includeRequestBodyInCheck.maxRequestBytes ?? 0],
    ),
  );
  return wanted.length === 0 ? undefined : Math.max(...wanted);
}

/** Is the listener asked to verify anybody? Otherwise every connection is admitted. */
export function admissionApplies(setting: Setting): boolean {
  if (setting.mesh?.verifyPeers === true) return true;
  return (setting.policies ?? []).some((policy) => policy.kind === "PeerAuthentication");
}

export function portOf(setting: Setting): number {
  return setting.workload?.port?.number ?? 8080;
}

export function connectionOf(line: RequestCase, setting: Setting): Connection {
  const from = line.connection ?? {};
  const peer = readAddress(from.peer ?? "10.0.0.9:50000");
  const uriSans = (from.uriSans ?? []).map(asBytes);
  const dnsSans = (from.dnsSans ?? []).map(asBytes);
  const presents = from.tls === true && (uriSans.length > 0 || dnsSans.length > 0 || from.subject !== undefined);
  return {
    tls: from.tls ?? false,
    certificate: presents ? { uriSans, dnsSans, subject: from.subject && asUtf8(from.subject) } : undefined,
    sni: from.sni === undefined ? undefined : asBytes(from.sni),
    alpn: from.alpn,
    peer,
    local: readAddress(from.local ?? `10.0.0.1:${portOf(setting)}`),
    proxyAddress: from.proxyIp,
    remoteAddress: from.remoteIp ?? peer.address,
  };
}

export function requestOf(line: RequestCase): DownstreamRequest | undefined {
  const from = line.request;
  if (from === undefined) return undefined;
  return {
    method: asBytes(from.method ?? "GET"),
    authority: from.authority == null ? undefined : asBytes(from.authority),
    target: asBytes(from.path ?? "/"),
    headers: (from.headers ?? []).map(([name, value]) => [asBytes(name), asBytes(value)]),
    protocol: from.protocol ?? "HTTP/1.1",
    scheme: asBytes(from.scheme ?? "http"),
    omit: from.omit ?? [],
    body: asBytes(from.body ?? ""),
  };
}

/** A name in a certificate is text, whatever its characters. */
function asUtf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** `ip:port` or `[ip6]:port`. */
function readAddress(text: string): SocketAddress {
  const parts = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(text);
  if (parts === null) throw new Error(`expected an address and a port, found \`${text}\``);
  return { address: parts[1] ?? parts[2] ?? "", port: Number(parts[3]) };
}
