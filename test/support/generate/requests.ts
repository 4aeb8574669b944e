import {
  type Claims,
  type HeaderLines,
  type HttpAttributes,
  type Maybe,
  type PeerNames,
  type RequestAttributes,
  type RequestHeaders,
  UNKNOWN,
  type Workload,
} from "#authz/engine/attributes";
import type { Random } from "#test/support/random";
import { words } from "./words.ts";

/** A connection of which everything is known, and nothing is there. */
export const absent: RequestAttributes = {
  http: undefined,
  peerAddress: undefined,
  remoteAddress: undefined,
  destinationAddress: undefined,
  destinationPort: undefined,
  tls: false,
  peer: undefined,
  sni: undefined,
  claims: undefined,
  tokens: undefined,
  peerPort: undefined,
  destinationPrincipal: undefined,
  nowMillis: 0,
  metadata: () => undefined,
};

/** A request of which everything is known and nothing is there but a GET of `/`, and what is given. */
export function http(
  parts: Partial<HttpAttributes>,
  headers: ReadonlyMap<string, HeaderLines> = new Map(),
): RequestAttributes {
  const line = { method: "GET", host: "example.com", path: "/", grpc: false };
  const rest: Pick<HttpAttributes, "target" | "scheme" | "protocol" | "size"> = {
    target: "path" in parts ? parts.path : "/",
    scheme: "http",
    protocol: "HTTP/1.1",
    size: undefined,
  };
  return { ...absent, http: { ...line, ...rest, headers: headersOf(headers), ...parts } };
}

function headersOf(headers: ReadonlyMap<string, HeaderLines>): RequestHeaders {
  return {
    get: (name) => headers.get(name),
    names: () => [...headers.keys()].filter((name) => !name.startsWith(":")),
  };
}

/** A connection of which everything is known, and nothing is there but what is given. */
export function over(parts: Partial<RequestAttributes>): RequestAttributes {
  return { ...absent, ...parts };
}

/** A random request. `doubt`: how often an attribute is unknown; half as often it is absent. */
export function request(random: Random, doubt = random.pick([0, 0, 0.1, 0.5])): RequestAttributes {
  const maybe = <T>(make: () => T): Maybe<T> => {
    if (random.chance(doubt)) return UNKNOWN;
    return random.chance(0.08) ? undefined : make();
  };
  const address = () => ({ bytes: random.pick(words.addresses) });
  const metadata = new Map<string, Maybe<string | readonly string[]>>();
  for (const name of words.metadataKeys)
    metadata.set(
      name.join(" "),
      maybe(() => metadataValue(random)),
    );
  const token = maybe(() => claims(random));
  return {
    http: random.chance(0.8) ? httpPart(random, maybe, doubt) : undefined,
    peerAddress: maybe(address),
    remoteAddress: maybe(address),
    destinationAddress: maybe(address),
    destinationPort: maybe(() => random.pick(words.ports)),
    tls: random.chance(doubt) ? UNKNOWN : random.chance(0.5),
    peer: maybe(() => peerNames(random, doubt)),
    sni: maybe(() => random.pick([...words.snis, ""])),
    claims: token,
    tokens: token === undefined || token === UNKNOWN ? token : [...random.list(0, 1, () => claims(random)), token],
    peerPort: maybe(() => random.pick([1023, 50_000])),
    destinationPrincipal: maybe(() => random.pick(words.identities)),
    nowMillis: random.pick([0, 1_785_000_000_000, 1_785_050_000_000]),
    metadata: (namespace, key) => metadata.get(`${namespace} ${key}`),
  };
}

function httpPart(random: Random, maybe: <T>(make: () => T) => Maybe<T>, doubt: number): HttpAttributes {
  const path = maybe(() => random.pick(words.paths));
  const host = maybe(() => random.pick([...words.hosts, "EXAMPLE.com", "A.Example.Com"]));
  const headers = new Map<string, HeaderLines>();
  for (const name of words.headerNames) {
    if (name.startsWith(":") || random.chance(0.4)) continue;
    headers.set(name, headerLines(random, doubt));
  }
  if (typeof path === "string") headers.set(":path", { lines: [`${path}?q`], joined: false });
  if (typeof host === "string") headers.set(":authority", { lines: [host], joined: false });
  return {
    method: maybe(() => random.pick(words.methods)),
    host,
    path,
    headers: headersOf(headers),
    target: typeof path === "string" ? `${path}?q` : path,
    scheme: maybe(() => random.pick(["http", "https"])),
    protocol: maybe(() => random.pick(["HTTP/1.1", "HTTP/2"])),
    size: maybe(() => random.pick([0, 7, 100_000])),
    grpc: random.chance(0.1),
  };
}

/** Lines as they came, or joined into one text as Envoy joins them. */
export function headerLines(random: Random, doubt: number): HeaderLines {
  const lines = random.list(1, 3, () => random.pick(words.headerValues));
  return random.chance(doubt) ? { lines: [lines.join(",")], joined: true } : { lines, joined: false };
}

/** Names of a peer, some of them in a joined list, perhaps not all of them told. */
export function peerNames(random: Random, doubt: number): PeerNames {
  const identity = () => random.pick(words.identities);
  return {
    names: random.list(0, 2, identity),
    opaque: random.chance(doubt / 2) ? random.list(1, 2, () => random.list(2, 3, identity).join(",")) : [],
    complete: !random.chance(doubt / 2),
  };
}

function claims(random: Random): Claims {
  const value = () => {
    const one = () => random.pick([...words.claimTexts, 7, true, null, ["admin"], { role: "admin" }]);
    return random.chance(0.4) ? random.list(0, 3, one) : one();
  };
  const all: Record<string, unknown> = { iss: random.pick(words.claimTexts), sub: random.pick(words.claimTexts) };
  if (random.chance(0.7)) all["groups"] = value();
  if (random.chance(0.7)) all["aud"] = value();
  if (random.chance(0.5)) all["nested"] = random.chance(0.7) ? { role: value() } : value();
  if (random.chance(0.1)) all["iss"] = value();
  return all;
}

function metadataValue(random: Random): string | readonly string[] {
  const text = () => random.pick(words.metadataTexts);
  return random.chance(0.5) ? text() : random.list(0, 2, text);
}

/** A random workload of any kind. */
export function workload(random: Random): Workload {
  const kind = random.pick(["sidecar", "sidecar", "gateway", "k8s-gateway", "waypoint"] as const);
  const labels = new Map<string, string>();
  for (const key of words.labels) if (random.chance(0.7)) labels.set(key, random.pick(words.labelValues));
  const gatewayApi = kind === "k8s-gateway" || kind === "waypoint";
  const service = { namespace: random.pick(words.workloadNamespaces), name: random.pick(words.services) };
  return {
    namespace: random.pick(words.workloadNamespaces),
    name: undefined,
    labels,
    kind,
    gateway: gatewayApi ? random.pick(words.gateways) : undefined,
    service: kind === "waypoint" && random.chance(0.8) ? withKind(random, service) : undefined,
  };
}

function withKind(random: Random, service: { namespace: string; name: string }): NonNullable<Workload["service"]> {
  return random.chance(0.3) ? service : { ...service, kind: random.pick(["Service", "ServiceEntry"] as const) };
}
