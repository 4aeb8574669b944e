/**
 * The rule set: what the compiler makes of a folder and what the decision point loads. Plain immutable data, nothing in it
 * is a function, so that it can be written to bytes and read back equal (`codec.ts`).
 *
 * Text that is compared with a request is a *byte string*: a JavaScript string whose characters are bytes (U+0000-U+00FF),
 * the UTF-8 encoding of what the author wrote. Requests are read the same way, so that bytes that are not UTF-8 compare
 * exactly (see `byte-string.ts`).
 */

export type ByteString = string;

/** Where a rule or document was written. Lines and columns count from one. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type PathNormalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

export interface Mesh {
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly pathNormalization: PathNormalization;
  /** `defaultConfig.gatewayTopology.numTrustedProxies`: for gateways whose remote address we must compute. */
  readonly numTrustedProxies: number;
}

/** Istio's four-way pattern (exact, prefix, suffix, presence), decided once. `present` is the field's own meaning of a lone `*`. */
export type TextTest =
  | { readonly op: "exact"; readonly text: ByteString }
  | { readonly op: "prefix"; readonly text: ByteString }
  | { readonly op: "suffix"; readonly text: ByteString }
  | { readonly op: "present" };

/**
 * What a field is tested against. Each is one dimension of the index; `header` one per name, `claim` one per path,
 * `metadata` one per namespace and key.
 */
export type Attribute =
  | { readonly kind: "host" } // tests are lower case (ASCII), the authority is folded before the test
  | { readonly kind: "method" }
  | { readonly kind: "path" }
  | { readonly kind: "port" }
  | { readonly kind: "peerAddress" } // ipBlocks, source.ip
  | { readonly kind: "remoteAddress" } // remoteIpBlocks, remote.ip
  | { readonly kind: "destinationAddress" }
  | { readonly kind: "identity" } // principals, namespaces, serviceAccounts, trustDomains: all read the peer's names
  | { readonly kind: "requestPrincipal" }
  | { readonly kind: "header"; readonly name: ByteString } // lower case; `host` is stored as `:authority`
  | { readonly kind: "claim"; readonly path: readonly ByteString[] } // aud and azp are claims too
  | { readonly kind: "sni" }
  | { readonly kind: "metadata"; readonly namespace: ByteString; readonly key: ByteString };

/** One value of a field, ready to be tested. */
export type ValueTest =
  | { readonly kind: "text"; readonly test: TextTest }
  /** `paths` with `{*}` or `{**}`: literal pieces between globs. `pieces.length === globs.length + 1`. */
  | { readonly kind: "template"; readonly pieces: readonly ByteString[]; readonly globs: readonly ("*" | "**")[] }
  | { readonly kind: "port"; readonly port: number }
  /** `bytes` are 4 or 16 numbers, masked; families never cross. */
  | { readonly kind: "cidr"; readonly bytes: readonly number[]; readonly prefixLength: number }
  /** `principals`: `exact` and `prefix` include `spiffe://`; `suffix` means `spiffe://` + anything (no newline) + text. */
  | { readonly kind: "principal"; readonly test: TextTest }
  /** `namespaces`: the literal pieces between stars; the identity must hold `/ns/` + pieces with anything between + `/`. */
  | { readonly kind: "namespace"; readonly pieces: readonly ByteString[] }
  /** `serviceAccounts`: `spiffe://.+/ns/NS/(?:.+/)?sa/SA(?:/.+)?` over the whole identity. */
  | { readonly kind: "serviceAccount"; readonly namespace: ByteString; readonly name: ByteString }
  /** `trustDomains`: `exact`: begins `spiffe://` text `/`. `star`: `spiffe://` before, no slash, after, `/`, anything. `any`: begins `spiffe://`. */
  | { readonly kind: "trustDomain"; readonly op: "exact"; readonly text: ByteString }
  | { readonly kind: "trustDomain"; readonly op: "star"; readonly before: ByteString; readonly after: ByteString }
  | { readonly kind: "trustDomain"; readonly op: "any" }
  | { readonly kind: "requestPrincipal"; readonly iss: TextTest; readonly sub: TextTest }
  /** Dynamic metadata: `list` means that some element of a list is a string that passes. */
  | { readonly kind: "metadata"; readonly list: boolean; readonly test: TextTest };

/**
 * One field of a source, operation or condition: (no values, or one matches) and not (one of notValues matches).
 * `field` is the author's name of the positive field (`paths`, `request.headers[x-t]`), `texts` what was written; both are
 * for explanations only. Equal fields are one object (interned), here and after decoding.
 */
export interface FieldTest {
  readonly field: string;
  readonly attribute: Attribute;
  readonly values: readonly ValueTest[];
  readonly notValues: readonly ValueTest[];
  readonly texts: readonly string[];
  readonly notTexts: readonly string[];
}

/** All of its fields must hold. An empty entry holds always. */
export type Entry = readonly FieldTest[];

/** any(to) and any(from) and all(when); an empty `to` or `from` is any. */
export interface RuleBody {
  readonly to: readonly Entry[];
  readonly from: readonly Entry[];
  readonly when: readonly FieldTest[];
}

/**
 * A rule of an AuthorizationPolicy as compiled for HTTP ports and for TCP ports, where Istio drops what needs HTTP. `undefined`: the rule
 * was dropped there. Where nothing degrades, `tcp` is the same object as `http`.
 */
export interface Rule {
  /** Index into `policies`. */
  readonly policy: number;
  /** `i` of `rule[i]`. */
  readonly ordinal: number;
  readonly origin: Origin;
  readonly http: RuleBody | undefined;
  readonly tcp: RuleBody | undefined;
  /** What only a policy of our own group can say. */
  readonly extension?: RuleExtension | undefined;
}

export interface RuleExtension {
  /** Expressions that must hold beside the body. They are looked at after it. */
  readonly conditions: readonly Expression[];
  /** What a request is answered that this DENY rule denies; undefined: Istio's 403. */
  readonly denyResponse: DenyResponse | undefined;
  /** What is added to a request that this ALLOW rule allows, and to its answer. */
  readonly allowResponse: AllowResponse | undefined;
}

/** A CEL expression as written, with its place. */
export interface Expression {
  readonly text: string;
  readonly origin: Origin;
}

/** Text as it stands, or an expression that comes to text. */
export type ResponseValue =
  | { readonly kind: "text"; readonly text: ByteString }
  | { readonly kind: "cel"; readonly expression: Expression };

/** Names of headers are lower case. */
export type ResponseFields = readonly (readonly [name: string, value: ResponseValue])[];

export interface DenyResponse {
  /** 400 to 599, or a redirect; undefined: 403. */
  readonly status: number | undefined;
  readonly headers: ResponseFields;
  /** Undefined: Istio's body. */
  readonly body: ResponseValue | undefined;
}

export interface AllowResponse {
  readonly requestHeaders: ResponseFields;
  readonly responseHeaders: ResponseFields;
  readonly dynamicMetadata: ResponseFields;
}

/** ORDER: the stages of a decision. Dry-run policies have stages of their own; they never change the answer. */
export const stages = ["custom", "audit", "dryRunDeny", "deny", "dryRunAllow", "allow"] as const;
export type Stage = (typeof stages)[number];

/** Which workloads a policy selects, before a workload is known. */
export type Attachment =
  /** No selector, or one without labels: `labels` is empty. */
  | { readonly kind: "selector"; readonly labels: readonly (readonly [key: string, value: string])[] }
  | {
      readonly kind: "targetRefs";
      readonly refs: readonly { readonly group: string; readonly kind: string; readonly name: string }[];
    };

export interface Policy {
  /** Of our own API group, with its own prefix in the keys of its rules; undefined: Istio's. */
  readonly family?: "garita" | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly stage: Stage;
  /** Name of the extension provider; CUSTOM only. */
  readonly provider: string | undefined;
  readonly attachment: Attachment;
  readonly origin: Origin;
}

export type MtlsMode = "UNSET" | "DISABLE" | "PERMISSIVE" | "STRICT";

/** ORDER: `peerAuthentications` stand oldest first (creation time, then name, then namespace): the first of a level wins. */
export interface PeerAuthenticationRule {
  readonly namespace: string;
  readonly name: string;
  /** Empty: the policy is for its whole namespace (for the mesh, in the root namespace). */
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly mode: MtlsMode;
  /** Workload port -> mode. */
  readonly ports: readonly (readonly [port: number, mode: MtlsMode])[];
  readonly origin: Origin;
}

/** One JWT rule as written, texts as they are. */
export interface JwtRule {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwksUri: string | undefined;
  readonly jwks: string | undefined;
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  readonly forwardOriginalToken: boolean;
  readonly outputPayloadToHeader: string | undefined;
  readonly outputClaimToHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly timeoutMillis: number | undefined;
  readonly spaceDelimitedClaims: readonly string[];
  readonly origin: Origin;
}

export interface RequestAuthenticationRule {
  readonly namespace: string;
  readonly name: string;
  readonly attachment: Attachment;
  readonly jwtRules: readonly JwtRule[];
  readonly origin: Origin;
}

/** A workload outside Kubernetes that can be asked about by name, by identity or by address. */
export interface RegisteredWorkload {
  readonly namespace: string;
  /** WorkloadEntry's name; for an inline endpoint of a ServiceEntry `<service entry>/<index>`. */
  readonly name: string;
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly serviceAccount: string | undefined;
  /** As written: an IP address, a host name, or `unix://…`; undefined when the entry has none. */
  readonly address: string | undefined;
  /**
   * Local ports at which its address means it; undefined: any, as for a WorkloadEntry. Of an inline endpoint those it listens on, none when
   * its ServiceEntry is where an extension provider is asked: such an address says where others are, not who is asking.
   */
  readonly ports: readonly number[] | undefined;
  readonly origin: Origin;
}

/** A service of a ServiceEntry: what waypoint targets and extension providers refer to. */
export interface RegisteredService {
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly resolution: ServiceResolution;
  /** Inline endpoints with an address, or the WorkloadEntries of the namespace that `workloadSelector` selects. */
  readonly endpoints: readonly { readonly address: string; readonly ports: readonly (readonly [string, number])[] }[];
  readonly origin: Origin;
}

export interface ServicePort {
  readonly number: number;
  /** By which endpoints say that they listen on another port. */
  readonly name: string;
  readonly protocol: string;
  readonly targetPort: number | undefined;
}

/** ORDER: Istio's numbers. How addresses are found: not at all, from the endpoints, by DNS. */
export const serviceResolutions = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] as const;
export type ServiceResolution = (typeof serviceResolutions)[number];

/** An `extensionProviders` entry: `options` is its own member as JSON text. */
export interface Provider {
  readonly name: string;
  readonly kind: "http" | "grpc" | "other";
  readonly options: string;
}

/** Kinds of keys that certificates are issued for, by the names of the authority. */
export const registrationKeyKinds = ["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096"] as const;
export type RegistrationKeyKind = (typeof registrationKeyKinds)[number];

/** A part of a SPIFFE ID: text as it stands, or the path of a claim whose value stands there. */
export type SpiffeIdPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "claim"; readonly path: readonly string[] };

/** Who may ask for a registered identity. Texts are those of Unicode, not byte strings: they are compared with what JSON says. */
export type RegisteredCaller =
  | { readonly kind: "spiffeId"; readonly id: string }
  | {
      readonly kind: "jwt";
      readonly issuer: string;
      /** All must hold: the claim is one of the values, or a list that holds one. */
      readonly claims: readonly { readonly path: readonly string[]; readonly values: readonly string[] }[];
    }
  | { readonly kind: "joinToken" };

/** Who may become which SPIFFE ID, and what its certificates may be. */
export interface WorkloadRegistration {
  readonly namespace: string;
  readonly name: string;
  /** INVARIANT: see `spiffe-id-parts.ts`; with a claim, `callers` are all of kind `jwt`. */
  readonly spiffeId: readonly SpiffeIdPart[];
  /** Any of them; at least one. */
  readonly callers: readonly RegisteredCaller[];
  readonly dnsNames: readonly string[];
  /** Empty: every kind. */
  readonly keyKinds: readonly RegistrationKeyKind[];
  /** Undefined: the authority's. */
  readonly ttlSeconds: number | undefined;
  readonly maxTtlSeconds: number | undefined;
  readonly origin: Origin;
}

/** Rules filed under one attribute. Ids are indexes into `rules`, ascending. Keys ascend (suffixes read backwards), so that equal input gives equal bytes. */
export interface IndexDimension {
  readonly on: IndexKey;
  readonly exact: readonly (readonly [text: ByteString, rules: readonly number[]])[];
  readonly prefix: readonly (readonly [text: ByteString, rules: readonly number[]])[];
  readonly suffix: readonly (readonly [text: ByteString, rules: readonly number[]])[];
  readonly cidr: readonly {
    readonly bytes: readonly number[];
    readonly prefixLength: number;
    readonly rules: readonly number[];
  }[];
  /** Filed under the attribute being there at all. */
  readonly present: readonly number[];
}

/** What a dimension looks at. Some attributes are looked at through a part of theirs. */
export type IndexKey =
  | { readonly kind: "attribute"; readonly attribute: Attribute }
  /** The first path segment after each `/ns/` of an identity. */
  | { readonly kind: "identityNamespace" }
  /** The path segment after each `/sa/` of an identity. */
  | { readonly kind: "identityServiceAccount" }
  /** The text between `spiffe://` and the next `/` of an identity. */
  | { readonly kind: "identityTrustDomain" }
  /** Namespace of the workload that is asked about: rules of other namespaces than the root. */
  | { readonly kind: "workloadNamespace" }
  /** One label of the workload that is asked about. */
  | { readonly kind: "workloadLabel"; readonly key: string };

/**
 * Anchors (law 5): each rule that may match is filed under one necessary condition of it, the rarest, or under several of
 * which one must hold; a rule without any is in `always`. A look-up returns a superset of the matching rules.
 */
export interface RuleIndex {
  readonly always: readonly number[];
  readonly dimensions: readonly IndexDimension[];
}

export interface RuleSet {
  readonly mesh: Mesh;
  /** INVARIANT: sorted in UTF-8 byte order of `ns[NS]-policy[NAME]` with the prefix of the family; stages mixed. */
  readonly policies: readonly Policy[];
  /**
   * INVARIANT: sorted by key `ns[NS]-policy[NAME]-rule[i]`, with the prefix of the family, in UTF-8 byte order (so `rule[10]` before `rule[2]`): among rules of
   * one stage the smallest id that matches is the one that Envoy reports (its RBAC policies are a map sorted by name).
   */
  readonly rules: readonly Rule[];
  readonly peerAuthentications: readonly PeerAuthenticationRule[];
  readonly requestAuthentications: readonly RequestAuthenticationRule[];
  readonly workloads: readonly RegisteredWorkload[];
  readonly services: readonly RegisteredService[];
  readonly providers: readonly Provider[];
  /** INVARIANT: sorted by `namespace/name`. For the certificate authority; no decision reads them. */
  readonly registrations: readonly WorkloadRegistration[];
  /** Separate indexes: CUSTOM rules are asked before tokens are verified. */
  readonly index: {
    readonly http: RuleIndex;
    readonly tcp: RuleIndex;
    readonly customHttp: RuleIndex;
    readonly customTcp: RuleIndex;
  };
}

/** Istio's key of a rule, with `garita-` in front for policies of our own group. CUSTOM rules carry their provider before that. */
export function ruleKey(policy: Policy, ordinal: number): string {
  const key = `${familyPrefix(policy.family)}ns[${policy.namespace}]-policy[${policy.name}]-rule[${ordinal}]`;
  return policy.provider === undefined ? key : `istio-ext-authz-${policy.provider}-${key}`;
}

/** What stands before the keys of policies of a family: nothing for Istio's. */
export function familyPrefix(family: Policy["family"]): string {
  return family === "garita" ? "garita-" : "";
}
