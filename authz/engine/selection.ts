import type { Attachment, Mesh } from "#policy-compiler/ruleset/model";
import type { Workload } from "./attributes.ts";

/** The label by which Istio knows a workload that belongs to a Gateway. */
export const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";
const WAYPOINT_CLASS = "istio-waypoint";

/** What selection reads of a workload, worked out once. */
export interface SelectionSubject {
  readonly workload: Workload;
  readonly rootNamespace: string;
  /** ORDER: the workload's namespace, the root namespace, and that of a waypoint's service: policies of others never apply. */
  readonly namespaces: readonly string[];
  /** Labels, with the one that Gateway-API workloads always carry. */
  readonly labels: ReadonlyMap<string, string>;
  /** The name of its Gateway; undefined for workloads that are none. */
  readonly gatewayName: string | undefined;
}

export function selectionSubject(mesh: Mesh, workload: Workload): SelectionSubject {
  const implied = (workload.kind === "k8s-gateway" || workload.kind === "waypoint") && workload.gateway !== undefined;
  const labels = implied ? new Map(workload.labels).set(GATEWAY_NAME, workload.gateway) : workload.labels;
  const namespaces = [workload.namespace, mesh.rootNamespace];
  if (workload.kind === "waypoint" && workload.service !== undefined) namespaces.push(workload.service.namespace);
  return {
    workload,
    rootNamespace: mesh.rootNamespace,
    namespaces: [...new Set(namespaces)],
    labels,
    gatewayName: isGatewayApi(workload) ? (labels.get(GATEWAY_NAME) ?? "") : labels.get(GATEWAY_NAME),
  };
}

function isGatewayApi(workload: Workload): boolean {
  return workload.kind === "k8s-gateway" || workload.kind === "waypoint";
}

/**
 * Does a policy of a namespace apply to the workload? (Istio: AuthorizationPolicy and RequestAuthentication, selector and
 * targetRefs.) Levels accumulate: nothing overrides anything. A waypoint listens to targetRefs alone, a workload that is no
 * Gateway-API gateway to selectors alone, a gateway to both.
 */
export function selects(attachment: Attachment, policyNamespace: string, subject: SelectionSubject): boolean {
  if (!subject.namespaces.includes(policyNamespace)) return false;
  if (attachment.kind === "selector") {
    return subject.workload.kind !== "waypoint" && hasLabels(subject.labels, attachment.labels);
  }
  return attachment.refs.some((ref) => fits(ref, policyNamespace, subject));
}

/** Does the workload carry every label? */
export function hasLabels(
  labels: ReadonlyMap<string, string>,
  wanted: readonly (readonly [key: string, value: string])[],
): boolean {
  return wanted.every(([key, value]) => labels.get(key) === value);
}

function fits(
  ref: { readonly group: string; readonly kind: string; readonly name: string },
  policyNamespace: string,
  { workload, rootNamespace, gatewayName }: SelectionSubject,
): boolean {
  if (gatewayName === undefined) return false;
  const waypoint = workload.kind === "waypoint";
  switch (`${ref.group === "" ? "core" : ref.group}/${ref.kind}`) {
    case "core/Service":
      return waypoint && isTarget(workload, "Service", policyNamespace, ref.name);
    case "networking.istio.io/ServiceEntry":
      return waypoint && isTarget(workload, "ServiceEntry", policyNamespace, ref.name);
    case "gateway.networking.k8s.io/GatewayClass":
      return waypoint && ref.name === WAYPOINT_CLASS && policyNamespace === rootNamespace;
    case "gateway.networking.k8s.io/Gateway":
      return policyNamespace === workload.namespace && ref.name === gatewayName;
    default:
      return false;
  }
}

function isTarget(workload: Workload, kind: "Service" | "ServiceEntry", namespace: string, name: string): boolean {
  const service = workload.service;
  if (service === undefined || (service.kind !== undefined && service.kind !== kind)) return false;
  return service.namespace === namespace && service.name === name;
}
