import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { admit } from "#test/support/envoy-front/admit";
import type { Connection, Listener, ListenerKind, ListenerMode } from "#test/support/envoy-front/downstream";

type Result = "closed" | "plain" | "tls" | "mtls" | "opaque";

const own = "spiffe://td/ns/a/sa/b";
const alias = "spiffe://old/ns/a/sa/b";
const foreign = "spiffe://tdx/ns/a/sa/b";

/** Mode, port, what the client does, what becomes of it. */
const rows: readonly (readonly [
  ListenerMode | undefined,
  "HTTP" | "TCP",
  Partial<Connection> & { uri?: string },
  Result,
])[] = [
  [undefined, "HTTP", {}, "plain"],
  [undefined, "HTTP", { tls: true }, "tls"],
  [undefined, "TCP", { tls: true, uri: foreign, alpn: ["http/1.1"] }, "mtls"],
  ["STRICT", "HTTP", {}, "closed"],
  ["STRICT", "TCP", {}, "closed"],
  ["STRICT", "HTTP", { tls: true }, "closed"],
  ["STRICT", "HTTP", { tls: true, uri: own }, "mtls"],
  ["STRICT", "HTTP", { tls: true, uri: alias, alpn: [] }, "mtls"],
  ["STRICT", "TCP", { tls: true, uri: foreign }, "closed"],
  ["STRICT", "TCP", { tls: true, certificate: { uriSans: [foreign], dnsSans: [own], subject: undefined } }, "mtls"],
  ["PERMISSIVE", "HTTP", {}, "plain"],
  ["PERMISSIVE", "HTTP", { tls: true, uri: own, alpn: ["h2", "istio-h2"] }, "mtls"],
  ["PERMISSIVE", "HTTP", { tls: true, uri: own, alpn: ["h2"] }, "closed"],
  ["PERMISSIVE", "HTTP", { tls: true, uri: own, alpn: ["Istio"] }, "closed"],
  ["PERMISSIVE", "TCP", { tls: true, uri: own, alpn: ["Istio"] }, "opaque"],
  ["PERMISSIVE", "TCP", { tls: true, alpn: [] }, "opaque"],
  ["PERMISSIVE", "TCP", { tls: true }, "closed"],
  ["DISABLE", "HTTP", {}, "plain"],
  ["DISABLE", "HTTP", { tls: true, uri: own }, "closed"],
  ["DISABLE", "TCP", { tls: true, uri: own }, "plain"],
];

for (const [mode, protocol, { uri, ...client }, result] of rows) {
  test(`${mode ?? "no admission"}, ${protocol}, ${JSON.stringify({ uri, ...client })}: ${result}`, () => {
    deepEqual(fate("sidecar", mode, protocol, uri, client), result);
  });
}

for (const kind of ["gateway", "k8s-gateway", "waypoint"] as const) {
  test(`PeerAuthentication does not rule a ${kind}`, () => {
    deepEqual(fate(kind, "STRICT", "HTTP", foreign, { tls: true, alpn: ["h2"] }), "mtls");
  });
}

function fate(
  kind: ListenerKind,
  mode: ListenerMode | undefined,
  protocol: "HTTP" | "TCP",
  uri: string | undefined,
  client: Partial<Connection>,
): Result {
  const listener: Listener = {
    kind,
    protocol,
    numTrustedProxies: 0,
    trustDomains: ["td", "old"],
    mode,
    metadataNamespaces: [],
    bodyLimit: undefined,
    workload: { namespace: "foo", labels: {}, gateway: undefined, service: undefined },
  };
  const connection: Connection = {
    tls: false,
    certificate: uri === undefined ? undefined : { uriSans: [uri], dnsSans: [], subject: undefined },
    sni: "sni",
    alpn: undefined,
    peer: { address: "10.0.0.9", port: 1 },
    local: { address: "10.0.0.1", port: 80 },
    proxyAddress: undefined,
    remoteAddress: "10.0.0.9",
    ...client,
  };
  const admitted = admit(listener, connection);
  if (admitted === undefined) return "closed";
  if (admitted.tls) return admitted.certificate === undefined ? "tls" : "mtls";
  return admitted.sni === undefined ? "plain" : "opaque";
}
