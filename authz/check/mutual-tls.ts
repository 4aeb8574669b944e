import { type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import type { WorkloadView } from "#authz/engine/contract";
import type { RuleSet } from "#policy-compiler/ruleset/model";

/**
 * Does PeerAuthentication ask for mutual TLS on a connection that is not known to be so? STRICT wants TLS that Envoy terminated
 * and a verified client certificate; what is unknown does not count. PERMISSIVE and DISABLE ask for nothing (identities that
 * were sent count). Istio closes such a connection before any HTTP; an authorization server can only refuse the request.
 *
 * PeerAuthentication is for sidecars: gateways have the TLS of their servers, waypoints always mutual TLS below HTTP.
 */
export function lacksMutualTls(view: WorkloadView, attributes: RequestAttributes, ruleSet: RuleSet): boolean {
  if (view.workload.kind !== "sidecar" || !isStrict(view, attributes.destinationPort, ruleSet)) return false;
  const { tls, peer } = attributes;
  if (tls !== true || peer === undefined || peer === UNKNOWN) return true;
  return peer.names.length === 0 && peer.opaque.length === 0;
}

/** A port that is not known may be any: STRICT on one of the workload's ports holds. */
function isStrict(view: WorkloadView, port: RequestAttributes["destinationPort"], ruleSet: RuleSet): boolean {
  if (typeof port === "number") return view.mtlsMode(port) === "STRICT";
  const { namespace } = view.workload;
  return (
    view.mtlsMode(0) === "STRICT" ||
    ruleSet.peerAuthentications.some(
      (rule) => rule.namespace === namespace && rule.ports.some(([its]) => view.mtlsMode(its) === "STRICT"),
    )
  );
}
