/** An API group and the versions in which a kind is read. */
export interface ServedIn {
  readonly group: string;
  readonly versions: readonly [first: string, ...others: string[]];
}

/** The group of our own extensions. */
export const garitaGroup = "garita.dev";

const security: ServedIn = { group: "security.istio.io", versions: ["v1", "v1beta1"] };
const networking: ServedIn = { group: "networking.istio.io", versions: ["v1", "v1beta1", "v1alpha3"] };

/** The kinds that are read, each with its API groups (the one that is meant where another was written first). */
export const ourKinds = {
  AuthorizationPolicy: [security, { group: garitaGroup, versions: ["v1alpha1"] }],
  RequestAuthentication: [security],
  PeerAuthentication: [security],
  WorkloadEntry: [networking],
  ServiceEntry: [networking],
  WorkloadRegistration: [{ group: garitaGroup, versions: ["v1alpha1"] }],
} as const satisfies Record<string, readonly [ServedIn, ...ServedIn[]]>;

export type OurKind = keyof typeof ourKinds;

/** API groups whose every kind must be known: what is unknown in them is an error. */
export const ourGroups: ReadonlySet<string> = new Set([security.group, networking.group, garitaGroup]);

/**
 * Kinds of Kubernetes, Istio and their near relatives that stand in the same folders as policies and have no part in
 * them, by API group. The empty group is Kubernetes' core.
 */
const otherKinds: Readonly<Record<string, string>> = {
  "": "Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
  "admissionregistration.k8s.io":
    "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
  "apiextensions.k8s.io": "CustomResourceDefinition",
  "apiregistration.k8s.io": "APIService",
  apps: "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
  "argoproj.io": "AppProject Application ApplicationSet Rollout Workflow WorkflowTemplate",
  "authentication.istio.io": "MeshPolicy Policy",
  autoscaling: "HorizontalPodAutoscaler",
  batch: "CronJob Job",
  "cert-manager.io": "Certificate CertificateRequest ClusterIssuer Issuer",
  "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle PodCertificateRequest",
  "cilium.io": "CiliumClusterwideNetworkPolicy CiliumNetworkPolicy",
  "config.istio.io": "adapter attributemanifest handler instance rule template",
  "coordination.k8s.io": "Lease LeaseCandidate",
  "discovery.k8s.io": "EndpointSlice",
  "events.k8s.io": "Event",
  extensions: "DaemonSet Deployment Ingress NetworkPolicy PodSecurityPolicy ReplicaSet",
  "extensions.istio.io": "TrafficExtension WasmPlugin",
  "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
  "gateway.networking.k8s.io":
    "BackendLBPolicy BackendTLSPolicy GRPCRoute Gateway GatewayClass HTTPRoute ListenerSet ReferenceGrant TCPRoute TLSRoute UDPRoute",
  "helm.toolkit.fluxcd.io": "HelmRelease",
  "install.istio.io": "IstioOperator",
  "kiali.io": "Kiali OSSMConsole",
  "kustomize.config.k8s.io": "Component Kustomization",
  "kustomize.toolkit.fluxcd.io": "Kustomization",
  "kyverno.io": "ClusterPolicy Policy PolicyException",
  "metrics.k8s.io": "NodeMetrics PodMetrics",
  "monitoring.coreos.com": "Alertmanager PodMonitor Probe Prometheus PrometheusRule ServiceMonitor",
  "networking.istio.io": "DestinationRule EnvoyFilter Gateway ProxyConfig Sidecar VirtualService WorkloadGroup",
  "networking.k8s.io": "IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR",
  "node.k8s.io": "RuntimeClass",
  policy: "Eviction PodDisruptionBudget PodSecurityPolicy",
  "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
  "rbac.istio.io": "ClusterRbacConfig RbacConfig ServiceRole ServiceRoleBinding",
  "resource.k8s.io": "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice",
  "sailoperator.io": "Istio IstioCNI IstioRevision IstioRevisionTag ZTunnel",
  "scheduling.k8s.io": "PriorityClass",
  "source.toolkit.fluxcd.io": "Bucket GitRepository HelmChart HelmRepository OCIRepository",
  "storage.k8s.io": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass",
  "telemetry.istio.io": "Telemetry",
};

const otherKindsByGroup: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(otherKinds).map(([group, kinds]) => [group, new Set(kinds.split(" "))]),
);

/** Is this a kind that is known to have no part in policies? */
export function isOtherKind(group: string, kind: string): boolean {
  return otherKindsByGroup.get(group)?.has(kind) ?? false;
}

/** `group/version`, or `version` of the core group. One of our groups without a version is still that group. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/");
  if (slash === -1)
    return ourGroups.has(apiVersion) ? { group: apiVersion, version: "" } : { group: "", version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
