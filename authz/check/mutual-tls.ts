import { type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import type { WorkloadView } from "#authz/engine/contract";
import type { PeerAuthenticationRule, RuleSet } from "#policy-compiler/ruleset/model";
import type { ListenerSettings } from "./contract.ts";
import { type Refusal, refusal } from "./refusal.ts";

/** Ports are numbers from 1: this one stands for those that no policy names. */
const ANY_PORT = 0;

/**
 * Does PeerAuthentication ask for mutual TLS on a connection that is not known to be so? STRICT wants TLS that Envoy terminated
 * and a verified client certificate; what is unknown does not count. PERMISSIVE and DISABLE ask for nothing (identities that
 * were sent count). Istio closes such a connection before any HTTP; an authorization server can only refuse the request.
 *
 * PeerAuthentication is for sidecars: gateways have the TLS of their servers, waypoints always mutual TLS below HTTP.
 */
export function refuseWithoutMutualTls(
  view: WorkloadView,
  attributes: RequestAttributes,
  ruleSet: RuleSet,
  listener: Pick<ListenerSettings, "peerIdentity">,
): Refusal | undefined {
  if (view.workload.kind !== "sidecar") return undefined;
  const port = strictPort(view, attributes.destinationPort, ruleSet);
  if (port === undefined) return undefined;
  const { tls, peer } = attributes;
  if (tls === true && peer !== undefined && peer !== UNKNOWN && peer.names.length + peer.opaque.length > 0)
    return undefined;
  const rule = view.mtlsRule(port);
  const shortfall = describeShortfall(attributes, listener);
  const detail = rule === undefined ? shortfall : `${shortfall}; STRICT by ${describeRule(rule)}`;
  return { ...refusal("mtls-required", detail), origin: rule?.origin };
}

/** The port by which STRICT holds. A port that is not known may be any: STRICT on one of the workload's ports holds. */
function strictPort(
  view: WorkloadView,
  port: RequestAttributes["destinationPort"],
  ruleSet: RuleSet,
): number | undefined {
  const isStrict = (one: number) => view.mtlsMode(one) === "STRICT";
  if (typeof port === "number") return isStrict(port) ? port : undefined;
  if (isStrict(ANY_PORT)) return ANY_PORT;
  const { namespace } = view.workload;
  for (const rule of ruleSet.peerAuthentications) {
    if (rule.namespace !== namespace) continue;
    for (const [its] of rule.ports) if (isStrict(its)) return its;
  }
  return undefined;
}

/** Why the connection does not count as mutual TLS. */
function describeShortfall(
  { tls, peer }: RequestAttributes,
  { peerIdentity }: Pick<ListenerSettings, "peerIdentity">,
): string {
  if (tls === false) return "no TLS";
  if (tls === UNKNOWN) return "TLS unknown";
  if (peerIdentity === "none") return "the listener says peerIdentity: none, so that no certificate counts";
  if (peer === undefined) return "TLS without a client certificate";
  if (peer === UNKNOWN && peerIdentity === undefined)
    return "the peer's certificate is not known to be verified: the listener says no peerIdentity: verified";
  return "the names of the peer's certificate are unknown";
}

function describeRule({ namespace, name }: PeerAuthenticationRule): string {
  return `PeerAuthentication ${namespace}/${name}`;
}
