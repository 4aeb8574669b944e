import { X509Certificate } from "node:crypto";
import { type ChannelCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { AgentConnection, certChainOf, certificateRequest } from "./agent-calls.ts";

/** Where an agent finds its authority, and what it shows. */
export interface AgentSettings {
  readonly host?: string;
  readonly port: number;
  /** Trust and, for those that have one, the client certificate. The host name is verified. */
  readonly channel: ChannelCredentials;
  readonly token: string | undefined;
  readonly clusterId?: string;
  /** Tests step it. */
  readonly wait: (millis: number) => Promise<void>;
}

/** What an agent makes of an answer. */
export interface AgentCertificates {
  /** What Envoy gets as its certificate chain: every element, one after the other. */
  readonly chain: string;
  /** What Envoy gets as ROOTCA: the last element. */
  readonly roots: string;
  readonly attempts: number;
}

/** Why an agent gave up. */
export class AgentFailure extends Error {
  readonly code: number | undefined;
  readonly attempts: number;

  constructor(message: string, code: number | undefined, attempts: number) {
    super(message);
    this.code = code;
    this.attempts = attempts;
  }
}

/** Codes at which the agent of Istio asks again. CANCELLED and DEADLINE_EXCEEDED are on its own list, but its retries stop at them. */
export const agentRetries: ReadonlySet<number> = new Set([
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);
const waitsMillis = [100, 200, 400, 800] as const;

/**
 * Asks for a certificate as Istio's pilot-agent does: five attempts at most, with a new connection after each failure; an answer of fewer than two elements is none.
 */
export async function pilotAgentSign(
  settings: AgentSettings,
  csrPem: string,
  ttlSeconds = 86_400,
): Promise<AgentCertificates> {
  const fields: (readonly [string, string])[] = [["ClusterID", settings.clusterId ?? "Kubernetes"]];
  if (settings.token !== undefined) fields.push(["authorization", `Bearer ${settings.token}`]);
  const message = certificateRequest(csrPem, ttlSeconds);
  for (let attempts = 1; ; attempts++) {
    const connection = new AgentConnection(settings.port, settings.channel, settings.host);
    try {
      const elements = certChainOf(await connection.call(message, fields));
      if (elements.length < 2) throw new AgentFailure("invalid empty chain", undefined, attempts);
      return { chain: elements.join(""), roots: elements.at(-1)!, attempts };
    } catch (fault) {
      const { code, details } = fault as ServiceError;
      const wait = waitsMillis[attempts - 1];
      if (code === undefined) throw fault;
      if (wait === undefined || !agentRetries.has(code)) throw new AgentFailure(details, code, attempts);
      await settings.wait(wait);
    } finally {
      connection.close();
    }
  }
}

/** What ztunnel makes of an answer: one certificate of each element but the last, which is the bundle of roots. */
export interface ZtunnelCertificates {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
}

/** Asks once as ztunnel does, in its node's name for one of its pods; it asks again at every failure, later and later. Rejects when the leaf is another's. */
export async function ztunnelSign(
  settings: AgentSettings,
  csrPem: string,
  identity: string,
): Promise<ZtunnelCertificates> {
  const connection = new AgentConnection(settings.port, settings.channel, settings.host);
  const fields = settings.token === undefined ? [] : [["authorization", `Bearer ${settings.token}`] as const];
  try {
    const message = certificateRequest(csrPem, 86_400, { ImpersonatedIdentity: identity });
    return parseAsZtunnel(certChainOf(await connection.call(message, fields)), identity);
  } finally {
    connection.close();
  }
}

export function parseAsZtunnel(elements: readonly string[], identity: string): ZtunnelCertificates {
  const [first, ...rest] = elements;
  if (first === undefined) throw new Error("an empty chain");
  // Of an element that holds several, the first is read and the others are lost.
  const leaf = new X509Certificate(first);
  const intermediates = rest.slice(0, -1).map((element) => new X509Certificate(element));
  const roots = (rest.at(-1) ?? "").match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (leaf.subjectAltName !== `URI:${identity}`) throw new Error("the certificate is another's");
  return { leaf, intermediates, roots: roots.map((pem) => new X509Certificate(pem)) };
}
