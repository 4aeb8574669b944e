import type { OperationField, SourceField } from "#policy-compiler/document/model";
import type { ConditionSyntax } from "#policy-compiler/document/values/condition-key";
import type { Attribute } from "#policy-compiler/ruleset/model";

/** How the values of a field are read: the syntaxes of `when` keys and the two that only operations have. */
export type FieldSyntax = ConditionSyntax | "host" | "path";

export interface FieldRow {
  readonly attribute: Attribute;
  readonly syntax: FieldSyntax;
  /** Cannot be asked of a TCP connection. */
  readonly httpOnly: boolean;
}

/** Istio: AuthorizationPolicy, source fields. */
export const sourceFields = {
  principals: { attribute: { kind: "identity" }, syntax: "principal", httpOnly: false },
  requestPrincipals: { attribute: { kind: "requestPrincipal" }, syntax: "requestPrincipal", httpOnly: true },
  namespaces: { attribute: { kind: "identity" }, syntax: "namespace", httpOnly: false },
  serviceAccounts: { attribute: { kind: "identity" }, syntax: "serviceAccount", httpOnly: false },
  ipBlocks: { attribute: { kind: "peerAddress" }, syntax: "cidr", httpOnly: false },
  remoteIpBlocks: { attribute: { kind: "remoteAddress" }, syntax: "cidr", httpOnly: false },
  trustDomains: { attribute: { kind: "identity" }, syntax: "trustDomain", httpOnly: false },
} as const satisfies Record<SourceField, FieldRow>;

/** Istio: AuthorizationPolicy, operation fields. */
export const operationFields = {
  hosts: { attribute: { kind: "host" }, syntax: "host", httpOnly: true },
  ports: { attribute: { kind: "port" }, syntax: "port", httpOnly: false },
  methods: { attribute: { kind: "method" }, syntax: "text", httpOnly: true },
  paths: { attribute: { kind: "path" }, syntax: "path", httpOnly: true },
} as const satisfies Record<OperationField, FieldRow>;
