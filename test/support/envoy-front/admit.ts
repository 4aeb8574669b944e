import type { Connection, Listener } from "./downstream.ts";
import { type PeerCertificate, peerCertificate } from "./peer-certificate.ts";

/** A connection that got through the listener, as its filters see it. */
export interface Admitted {
  /** Is it TLS that the listener terminated? */
  readonly tls: boolean;
  /** The peer's certificate; undefined without one, and on TLS that is passed on unread. */
  readonly certificate: PeerCertificate | undefined;
  /** As the client wrote it; undefined when nobody looked. */
  readonly sni: string | undefined;
}

/** Protocols by which Istio's listeners recognise mutual TLS of the mesh. */
const meshProtocols: ReadonlySet<string> = new Set([
  "istio",
  "istio-peer-exchange",
  "istio-http/1.0",
  "istio-http/1.1",
  "istio-h2",
]);

/**
 * What the listener makes of a connection by the mutual TLS mode of its port; undefined: it is closed without a word.
 * PeerAuthentication does not rule the TLS servers of gateways, nor a waypoint's tunnel.
 */
export function admit(listener: Listener, connection: Connection): Admitted | undefined {
  if (listener.mode === undefined || listener.kind !== "sidecar") return terminate(connection);
  if (!connection.tls) return listener.mode === "STRICT" ? undefined : plaintext();
  switch (listener.mode) {
    case "STRICT":
      return verified(listener, connection);
    case "PERMISSIVE":
      if (connection.alpn === undefined || connection.alpn.some((name) => meshProtocols.has(name))) {
        return verified(listener, connection);
      }
      return listener.protocol === "TCP" ? { ...plaintext(), sni: connection.sni } : undefined;
    case "DISABLE":
      // Nobody terminates the TLS and nobody inspects it: an HTTP codec chokes on it, a TCP port passes it on.
      return listener.protocol === "TCP" ? plaintext() : undefined;
  }
}

function terminate(connection: Connection): Admitted {
  if (!connection.tls) return plaintext();
  const names = connection.certificate;
  return { tls: true, certificate: names && peerCertificate(names), sni: connection.sni };
}

/** Chain to the mesh's CA (every certificate here has one) and a SAN, of either kind, in one of the mesh's trust domains. */
function verified(listener: Listener, connection: Connection): Admitted | undefined {
  const { uriSans = [], dnsSans = [] } = connection.certificate ?? {};
  const ours = [...uriSans, ...dnsSans].some((name) =>
    listener.trustDomains.some((domain) => name.startsWith(`spiffe://${domain}/`)),
  );
  return ours ? terminate(connection) : undefined;
}

function plaintext(): Admitted {
  return { tls: false, certificate: undefined, sni: undefined };
}
