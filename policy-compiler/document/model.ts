import type { ServiceResolution } from "#policy-compiler/ruleset/model";
import type { Located, Span } from "#policy-compiler/source/diagnostic";
import type { TextRun } from "#policy-compiler/yaml/scalar-runs";

/**
 * Documents: what authors wrote, decoded and located, before validation. An absent list and an empty list are both `[]`
 * (the JSON mapping of protobuf: `[]`, `null` and absence decode alike), unless a member says otherwise.
 */

export interface DocumentHead {
  /** File relative to the policy folder, with `/`. */
  readonly file: string;
  /** The whole document in that file. */
  readonly span: Span;
  readonly apiVersion: Located<string>;
  readonly kind: Located<string>;
  readonly name: Located<string>;
  /** `metadata.namespace`, or `default` (then with the span of `metadata`), as kubectl would fill it. */
  readonly namespace: Located<string>;
  readonly labels: ReadonlyMap<string, Located<string>>;
  readonly annotations: ReadonlyMap<string, Located<string>>;
  /** Milliseconds since the epoch; undefined when the document does not say (sorts before every other). */
  readonly creationTimeMillis: number | undefined;
}

/** `spec.selector`; present and empty is not the same as absent. */
export interface Selector {
  readonly span: Span;
  readonly matchLabels: readonly { readonly key: Located<string>; readonly value: Located<string> }[];
}

export interface TargetRef {
  readonly span: Span;
  readonly group: Located<string> | undefined;
  readonly kind: Located<string> | undefined;
  readonly name: Located<string> | undefined;
  readonly namespace: Located<string> | undefined;
}

/** How a policy says where it applies, before it is known to be valid. */
export interface Placement {
  readonly selector: Selector | undefined;
  /** The hidden, deprecated singular form. */
  readonly targetRef: TargetRef | undefined;
  readonly targetRefs: readonly TargetRef[];
}

/** A list field and its `not` twin share one name in the tables; the twin is `not` + capitalised name. */
export type SourceField =
  | "principals"
  | "requestPrincipals"
  | "namespaces"
  | "serviceAccounts"
  | "ipBlocks"
  | "remoteIpBlocks"
  | "trustDomains";
export type OperationField = "hosts" | "ports" | "methods" | "paths";

/** Values and their negation, as written: `hosts` and `notHosts`. */
export interface FieldValues {
  readonly values: readonly Located<string>[];
  readonly notValues: readonly Located<string>[];
}

export interface SourceEntry {
  readonly span: Span;
  /** Undefined when the item has no `source` (validation refuses it; past validation it means any). */
  readonly source: { readonly span: Span; readonly fields: Partial<Record<SourceField, FieldValues>> } | undefined;
}

export interface OperationEntry {
  readonly span: Span;
  readonly operation:
    | { readonly span: Span; readonly fields: Partial<Record<OperationField, FieldValues>> }
    | undefined;
}

export interface ConditionEntry {
  readonly span: Span;
  readonly key: Located<string> | undefined;
  readonly values: readonly Located<string>[];
  readonly notValues: readonly Located<string>[];
}

export interface RuleDocument {
  readonly span: Span;
  readonly from: readonly SourceEntry[];
  readonly to: readonly OperationEntry[];
  readonly when: readonly ConditionEntry[];
  /** What only our own group has; undefined when the rule has none of it. */
  readonly extension: ExtensionDocument | undefined;
}

/** An expression of CEL without the blanks about it. */
export interface ExpressionDocument {
  readonly text: string;
  readonly span: Span;
  /** Where the parts of the text stand in the file; undefined when only the whole has a place. */
  readonly runs: readonly TextRun[] | undefined;
}

/** A value of an answer: text as it stands, or an expression. */
export type ResponseValueDocument =
  | { readonly kind: "text"; readonly text: Located<string> }
  | { readonly kind: "cel"; readonly expression: ExpressionDocument };

export interface ResponseFieldDocument {
  /** As written. */
  readonly name: Located<string>;
  readonly value: ResponseValueDocument;
}

/** Spans of answers are those of their names: `denyResponse`, `requestHeaders`. */
export interface DenyResponseDocument {
  readonly span: Span;
  readonly status: Located<number> | undefined;
  readonly headers: readonly ResponseFieldDocument[];
  readonly body: ResponseValueDocument | undefined;
}

export interface AllowResponseDocument {
  readonly span: Span;
  readonly requestHeaders: readonly ResponseFieldDocument[];
  readonly responseHeaders: readonly ResponseFieldDocument[];
  readonly dynamicMetadata: readonly ResponseFieldDocument[];
}

export interface ExtensionDocument {
  /** Undefined without `cel`; present and empty is a validation error. */
  readonly cel: { readonly span: Span; readonly expressions: readonly ExpressionDocument[] } | undefined;
  readonly denyResponse: DenyResponseDocument | undefined;
  readonly allowResponse: AllowResponseDocument | undefined;
}

export type Action = "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";

export interface AuthorizationPolicy {
  readonly type: "AuthorizationPolicy";
  /** Of whose API group it is. */
  readonly family: "istio" | "garita";
  readonly head: DocumentHead;
  readonly placement: Placement;
  readonly action: Located<Action>;
  /** `spec.provider`, with its name (empty text when the name is missing). */
  readonly provider: Located<string> | undefined;
  readonly rules: readonly RuleDocument[];
}

export interface JwtHeaderSource {
  readonly name: Located<string> | undefined;
  readonly prefix: Located<string> | undefined;
  readonly span: Span;
}

export interface ClaimToHeader {
  readonly header: Located<string> | undefined;
  readonly claim: Located<string> | undefined;
  readonly span: Span;
}

export interface JwtRuleDocument {
  readonly span: Span;
  readonly issuer: Located<string> | undefined;
  readonly audiences: readonly Located<string>[];
  readonly jwksUri: Located<string> | undefined;
  readonly jwks: Located<string> | undefined;
  readonly fromHeaders: readonly JwtHeaderSource[];
  readonly fromParams: readonly Located<string>[];
  readonly fromCookies: readonly Located<string>[];
  readonly forwardOriginalToken: boolean;
  readonly outputPayloadToHeader: Located<string> | undefined;
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  /** Duration text as written (`5s`). */
  readonly timeout: Located<string> | undefined;
  readonly spaceDelimitedClaims: readonly Located<string>[];
}

export interface RequestAuthentication {
  readonly type: "RequestAuthentication";
  readonly head: DocumentHead;
  readonly placement: Placement;
  readonly jwtRules: readonly JwtRuleDocument[];
}

export type MtlsMode = "UNSET" | "DISABLE" | "PERMISSIVE" | "STRICT";

export interface PeerAuthentication {
  readonly type: "PeerAuthentication";
  readonly head: DocumentHead;
  readonly selector: Selector | undefined;
  readonly mode: Located<MtlsMode> | undefined;
  /** Undefined when the field is absent or null; present and empty is a validation error. */
  readonly portLevelMtls:
    | {
        readonly span: Span;
        readonly ports: readonly { readonly port: Located<string>; readonly mode: Located<MtlsMode> }[];
      }
    | undefined;
}

/** A workload outside Kubernetes: a `WorkloadEntry`, or an inline endpoint of a `ServiceEntry`. */
export interface WorkloadDocument {
  readonly type: "WorkloadEntry";
  readonly head: DocumentHead;
  readonly address: Located<string> | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly serviceAccount: Located<string> | undefined;
  /** Named workload ports. */
  readonly ports: ReadonlyMap<string, number>;
}

export interface ServiceDocument {
  readonly type: "ServiceEntry";
  readonly head: DocumentHead;
  readonly hosts: readonly Located<string>[];
  readonly ports: readonly {
    readonly number: number;
    readonly targetPort: number | undefined;
    readonly name: string;
    readonly protocol: string;
  }[];
  readonly endpoints: readonly Omit<WorkloadDocument, "type" | "head">[];
  readonly workloadSelector: ReadonlyMap<string, string> | undefined;
  readonly location: string | undefined;
  readonly resolution: ServiceResolution | undefined;
}

/** An item of `callers`; validation says that it has one of the three. */
export interface RegistrationCallerDocument {
  readonly span: Span;
  readonly spiffeId: Located<string> | undefined;
  readonly jwt:
    | {
        readonly span: Span;
        readonly issuer: Located<string> | undefined;
        /** Undefined without the field; present and empty is a validation error. */
        readonly claims: { readonly span: Span; readonly items: readonly RegistrationClaimDocument[] } | undefined;
      }
    | undefined;
  readonly joinToken: { readonly span: Span } | undefined;
}

export interface RegistrationClaimDocument {
  /** The path as written: `sub`, `[a][b]`. */
  readonly path: Located<string>;
  readonly values: readonly Located<string>[];
}

/** Spans of fields are those of their names; undefined without the field, present and empty is a validation error. */
export interface WorkloadRegistrationDocument {
  readonly type: "WorkloadRegistration";
  readonly head: DocumentHead;
  readonly spiffeId: Located<string> | undefined;
  readonly callers: readonly RegistrationCallerDocument[];
  readonly dnsNames: { readonly span: Span; readonly values: readonly Located<string>[] } | undefined;
  readonly keyKinds: { readonly span: Span; readonly values: readonly Located<string>[] } | undefined;
  /** Duration texts as written. */
  readonly ttl:
    | { readonly span: Span; readonly default: Located<string> | undefined; readonly max: Located<string> | undefined }
    | undefined;
}

export type PathNormalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

/** One `extensionProviders` entry; only ext_authz providers have a `service`. Every option of MeshConfig is kept. */
export interface ExtensionProvider {
  readonly span: Span;
  readonly name: Located<string>;
  readonly kind: "envoyExtAuthzHttp" | "envoyExtAuthzGrpc" | "other";
  /** The provider's own member (`envoyExtAuthzHttp: {…}`) as plain JSON data, checked for unknown fields. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface MeshDocument {
  readonly type: "mesh";
  readonly file: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly rootNamespace: string;
  readonly pathNormalization: PathNormalization;
  readonly numTrustedProxies: number;
  readonly extensionProviders: readonly ExtensionProvider[];
  /** Where the values of its fields stand, by the name at the top; one that is not written has none. */
  readonly spans: ReadonlyMap<string, Span>;
}

/** What the folder holds, decoded. Documents stand in file order, then in order within the file. */
export interface DocumentSet {
  readonly mesh: MeshDocument;
  readonly authorizationPolicies: readonly AuthorizationPolicy[];
  readonly requestAuthentications: readonly RequestAuthentication[];
  readonly peerAuthentications: readonly PeerAuthentication[];
  readonly workloads: readonly WorkloadDocument[];
  readonly services: readonly ServiceDocument[];
  readonly registrations: readonly WorkloadRegistrationDocument[];
}
