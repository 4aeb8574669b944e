import type { CaseProviderAnswer } from "../providers/case-answer.ts";

/**
 * Cases as they stand in `.jsonl` files: one JSON object a line, either a policy set, a case that names one (`use`) or
 * carries its fields itself, or a validation case (`policy`).
 */

/** A Kubernetes object, verbatim. */
export interface PolicyObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly creationTimestamp?: string };
  readonly spec?: unknown;
}

/** The fields that a policy set and a case share; each may be absent, with the default named. */
export interface Setting {
  readonly mesh?: {
    /** `istio-system` */
    readonly rootNamespace?: string;
    /** `cluster.local` */
    readonly trustDomain?: string;
    readonly trustDomainAliases?: readonly string[];
    /** `BASE` */
    readonly pathNormalization?: string;
    /** Client certificates are verified although there is no PeerAuthentication. */
    readonly verifyPeers?: boolean;
    /** As in MeshConfig. */
    readonly extensionProviders?: readonly unknown[];
  };
  readonly workload?: {
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    /** `sidecar` */
    readonly kind?: "sidecar" | "gateway" | "k8s-gateway" | "waypoint";
    readonly numTrustedProxies?: number;
    readonly gateway?: string;
    /** `namespace/name` */
    readonly service?: string;
    readonly serviceKind?: "Service" | "ServiceEntry";
    /** 8080, HTTP */
    readonly port?: { readonly number?: number; readonly protocol?: "HTTP" | "TCP" };
  };
  /** Oldest first, unless all have a creation time. */
  readonly policies?: readonly PolicyObject[];
  /** `jwksUri` -> what a fetch gives; `null` or no entry: it fails. */
  readonly jwks?: Readonly<Record<string, unknown>>;
  /** Hosts that the control plane knows; every host that an extension provider names, where it is not said. */
  readonly services?: readonly ServiceHost[];
  /** The policies hold something that Istio's validation refuses: the case shows what its compiler makes of it. */
  readonly allowInvalid?: boolean;
}

export interface ServiceHost {
  readonly host: string;
  readonly namespace: string;
  readonly port: number;
}

export interface PolicySetLine extends Setting {
  readonly policySet: string;
}

export interface RequestCase extends Setting {
  readonly name: string;
  /** Name of an earlier policy set. */
  readonly use?: string;
  readonly connection?: {
    readonly tls?: boolean;
    readonly uriSans?: readonly string[];
    readonly dnsSans?: readonly string[];
    readonly subject?: string;
    readonly sni?: string;
    readonly alpn?: readonly string[];
    /** `10.0.0.9:50000` */
    readonly peer?: string;
    /** `10.0.0.1:<port>` */
    readonly local?: string;
    readonly proxyIp?: string;
    /** The peer's. */
    readonly remoteIp?: string;
  };
  /** Unix seconds: the clock of the case. */
  readonly now?: number;
  /** Absent: a connection to a TCP port. */
  readonly request?: {
    readonly method?: string;
    readonly authority?: string | null;
    readonly path?: string;
    readonly headers?: readonly (readonly [name: string, value: string])[];
    readonly protocol?: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
    readonly scheme?: string;
    readonly omit?: readonly string[];
    readonly body?: string;
  };
  /** By name of the extension provider; one that is not named allows. */
  readonly providers?: Readonly<Record<string, CaseProviderAnswer>>;
  readonly expect?: Expectation;
}

export interface ValidationCase {
  readonly name: string;
  readonly policy: PolicyObject;
  readonly expect?: Expectation;
}

export type CaseLine = PolicySetLine | RequestCase | ValidationCase;

/** What was recorded of a case. A field that does not apply is absent. */
export interface Expectation extends Omit<CaseAnswer, "name" | "decision"> {
  readonly decision?: "allow" | "deny" | "config-error";
  readonly details?: string;
  readonly valid?: boolean;
}

/** What the runner answers to a case: the fields of `expect`, in its shape. */
export interface CaseAnswer {
  readonly name: string;
  readonly decision: "allow" | "deny" | "invalid" | "valid";
  /** `null`: closed without a reply. Absent on TCP. */
  readonly status?: number | null;
  readonly body?: string | null;
  /** Key of the rule that decided; `none`: no ALLOW rule matched; `null`: no rule had a part. */
  readonly rule?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly upstream?: {
    readonly path: string;
    readonly set: readonly (readonly [name: string, value: string])[];
    readonly removed: readonly string[];
  };
  /** Calls to extension providers. */
  readonly calls?: number;
  readonly audit?: boolean;
  readonly dryRun?: { readonly allow?: DryRunAnswer; readonly deny?: DryRunAnswer };
}

export interface DryRunAnswer {
  readonly result: "allowed" | "denied";
  readonly rule: string | null;
}
