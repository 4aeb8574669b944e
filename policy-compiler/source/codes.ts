import type { Severity } from "./diagnostic.ts";

/**
 * One row of the table of diagnostics. `origin` tells whose rule it is: `istio` when Istio's own validation says the same,
 * `garita` when the rule is ours (a lint, or a guard that Istio lacks).
 */
export interface CodeRow {
  readonly severity: Severity;
  readonly origin: "istio" | "garita";
  /** One sentence for `docs/diagnostics.md`. */
  readonly summary: string;
}

/** THE table: every diagnostic that the compiler can produce, by its stable code `area/fault`. */
export const diagnosticCodes = {
  // --- folder and YAML ---
  "yaml/syntax": { severity: "error", origin: "garita", summary: "The file is not well-formed YAML or JSON." },
  "yaml/encoding": { severity: "error", origin: "garita", summary: "The file is not UTF-8." },
  "yaml/character": {
    severity: "error",
    origin: "garita",
    summary: "A character that YAML forbids, or that readers of YAML 1.1 and 1.2 understand differently.",
  },
  "yaml/too-large": { severity: "error", origin: "garita", summary: "A file or document beyond the limits of size." },
  "yaml/too-deep": { severity: "error", origin: "garita", summary: "Collections nested beyond the limit." },
  "yaml/too-many-aliases": {
    severity: "error",
    origin: "garita",
    summary: "Aliases that stand for more nodes than the limit: an alias bomb.",
  },
  "yaml/unknown-alias": { severity: "error", origin: "garita", summary: "An alias without an anchor before it." },
  "yaml/anchor": {
    severity: "error",
    origin: "garita",
    summary: "An anchor whose name readers of YAML 1.1 and 1.2 understand differently.",
  },
  "yaml/document-marker": {
    severity: "error",
    origin: "garita",
    summary:
      "Text behind `---` on its line; Kubernetes takes every line that begins so for the end of a document, and drops it.",
  },
  "yaml/duplicate-key": { severity: "error", origin: "garita", summary: "A key that its mapping has already." },
  "yaml/merge-key": { severity: "error", origin: "garita", summary: "A merge key `<<`; fields must be written out." },
  "yaml/tag": { severity: "error", origin: "garita", summary: "A tag other than those of text and collections." },
  "yaml/directive": { severity: "error", origin: "garita", summary: "A `%` directive of YAML." },
  "yaml/key-not-text": {
    severity: "error",
    origin: "garita",
    summary: "A key that is neither text nor a plain decimal number.",
  },
  "folder/too-large": {
    severity: "error",
    origin: "garita",
    summary: "The files of the folder are too large together.",
  },
  "folder/template-braces": {
    severity: "error",
    origin: "garita",
    summary: "The file holds `{{`: it is a template that has not been rendered.",
  },
  "folder/no-policies": {
    severity: "warning",
    origin: "garita",
    summary: "No document of the folder is a policy or a registration: everything is allowed. Is it the right folder?",
  },
  "folder/policy-test": {
    severity: "note",
    origin: "garita",
    summary: "A file of policy tests, passed over when policies are compiled.",
  },

  // --- documents: shape of the objects ---
  "document/unknown-field": {
    severity: "error",
    origin: "garita",
    summary: "A field that the kind does not have. Istio's file loader drops it silently, which widens the rule.",
  },
  "document/unknown-field-dropped": {
    severity: "note",
    origin: "garita",
    summary: "A field that the kind does not have, dropped because `istioLax` is on.",
  },
  "document/wrong-type": {
    severity: "error",
    origin: "istio",
    summary: "A value of another type than the field has. Istio cannot decode the object.",
  },
  "document/unknown-enum-value": {
    severity: "error",
    origin: "istio",
    summary: "A value that the field's enumeration does not have. Istio cannot decode the object.",
  },
  "document/unknown-enum-number": {
    severity: "error",
    origin: "garita",
    summary: "A number that the field's enumeration does not have. Istio decodes it to a value without meaning.",
  },
  "document/no-kind": {
    severity: "note",
    origin: "garita",
    summary: "A document without `apiVersion` and `kind`, passed over.",
  },
  "document/misspelt-head": {
    severity: "error",
    origin: "garita",
    summary:
      "A document whose `apiVersion` or `kind` is missing or misspelt where the rest says that it is one of ours.",
  },
  "document/other-kind": {
    severity: "note",
    origin: "garita",
    summary: "A document of a kind that has no part in policies, passed over.",
  },
  "document/unfamiliar-kind": {
    severity: "warning",
    origin: "garita",
    summary: "A document of a kind that is not known here at all, passed over.",
  },
  "document/misspelt-kind": {
    severity: "error",
    origin: "garita",
    summary: "A kind that is, or is nearly, one of ours, under another API group.",
  },
  "document/unknown-kind": {
    severity: "error",
    origin: "garita",
    summary: "A kind that its API group, one of ours, does not have.",
  },
  "document/unknown-version": {
    severity: "error",
    origin: "garita",
    summary: "A version that its API group, one of ours, does not serve.",
  },
  "document/metadata": {
    severity: "error",
    origin: "garita",
    summary: "Metadata that Kubernetes would refuse: name, namespace or creation time.",
  },
  "document/duplicate-object": {
    severity: "error",
    origin: "garita",
    summary: "Two objects of the same kind, namespace and name.",
  },

  "document/garita-field": {
    severity: "error",
    origin: "garita",
    summary: "A field of a `garita.dev` policy in one of Istio, which has neither conditions in CEL nor answers.",
  },

  // --- mesh.yaml ---
  "mesh/shape": {
    severity: "error",
    origin: "garita",
    summary: "`mesh.yaml` is not one MeshConfig, or it has a name that is not read.",
  },
  "mesh/unused-field": {
    severity: "note",
    origin: "garita",
    summary: "A field of Istio's MeshConfig that has no effect on decisions here.",
  },
  "mesh/value": { severity: "error", origin: "garita", summary: "A value that the field of `mesh.yaml` cannot have." },

  // --- Istio's validation ---
  "metadata/dry-run-kind": {
    severity: "error",
    origin: "istio",
    summary: "`istio.io/dry-run` on a kind other than AuthorizationPolicy.",
  },
  "metadata/dry-run-action": {
    severity: "error",
    origin: "istio",
    summary: "`istio.io/dry-run` on a policy whose action is neither ALLOW nor DENY.",
  },
  "metadata/dry-run-value": {
    severity: "error",
    origin: "istio",
    summary: "The value of `istio.io/dry-run` is no boolean of Go.",
  },
  "metadata/internal-annotation": {
    severity: "error",
    origin: "istio",
    summary: "An annotation that Istio keeps for itself.",
  },
  "placement/exclusive": {
    severity: "error",
    origin: "istio",
    summary: "More than one of `selector`, `targetRef` and `targetRefs`.",
  },
  "placement/label-key-empty": { severity: "error", origin: "istio", summary: "A label of a selector without a key." },
  "placement/label-wildcard": {
    severity: "error",
    origin: "istio",
    summary: "A star in a label of a selector; labels are compared whole.",
  },
  "placement/no-labels": {
    severity: "warning",
    origin: "istio",
    summary: "A selector without labels selects every workload in scope.",
  },
  "placement/target-name-missing": {
    severity: "error",
    origin: "istio",
    summary: "A target reference without a name.",
  },
  "placement/target-namespace": {
    severity: "error",
    origin: "istio",
    summary: "A target reference into a namespace; policies attach in their own.",
  },
  "placement/target-kind": {
    severity: "error",
    origin: "istio",
    summary: "A target reference to a kind that policies cannot attach to.",
  },
  "policy/custom-without-rules": {
    severity: "error",
    origin: "istio",
    summary: "A CUSTOM policy without rules would never be triggered.",
  },
  "policy/custom-without-provider": {
    severity: "error",
    origin: "istio",
    summary: "A CUSTOM policy that does not name its provider.",
  },
  "policy/custom-source-field": {
    severity: "error",
    origin: "istio",
    summary: "A source field that CUSTOM policies do not support, as they run before identities count.",
  },
  "policy/custom-condition-key": {
    severity: "error",
    origin: "istio",
    summary: "A `when` key that CUSTOM policies do not support.",
  },
  "policy/provider-refused-by-envoy": {
    severity: "error",
    origin: "garita",
    summary: "A CUSTOM provider with an option that Istio takes and for which Envoy refuses the listener.",
  },
  "policy/provider-without-custom": {
    severity: "error",
    origin: "istio",
    summary: "A provider in a policy whose action is not CUSTOM.",
  },
  "policy/deny-without-rules": {
    severity: "error",
    origin: "istio",
    summary: "A DENY policy without rules would never be triggered.",
  },
  "policy/source-missing": { severity: "error", origin: "istio", summary: "An item of `from` without a `source`." },
  "policy/source-empty": { severity: "error", origin: "istio", summary: "A `source` without any value." },
  "policy/service-accounts-combined": {
    severity: "error",
    origin: "istio",
    summary: "`serviceAccounts` beside `principals` or `namespaces` in one source.",
  },
  "policy/operation-missing": {
    severity: "error",
    origin: "istio",
    summary: "An item of `to` without an `operation`.",
  },
  "policy/operation-empty": { severity: "error", origin: "istio", summary: "An `operation` without any value." },
  "policy/value-empty": {
    severity: "error",
    origin: "istio",
    summary: "An empty text among the values of a field or a condition.",
  },
  "policy/address": {
    severity: "error",
    origin: "istio",
    summary: "A value that is neither an IP address nor a block of them.",
  },
  "policy/port": { severity: "error", origin: "istio", summary: "A value that is no port number." },
  "policy/service-account": {
    severity: "error",
    origin: "istio",
    summary: "A value that is neither `name` nor `namespace/name`.",
  },
  "policy/service-accounts-too-many": {
    severity: "error",
    origin: "istio",
    summary: "More than sixteen service accounts in one list.",
  },
  "policy/trust-domain": {
    severity: "error",
    origin: "istio",
    summary: "A trust domain with a slash, or with a star that is not at one end.",
  },
  "policy/path-template": {
    severity: "error",
    origin: "istio",
    summary: "A path whose braces form no valid template.",
  },
  "policy/condition-key-missing": { severity: "error", origin: "istio", summary: "A condition without a key." },
  "policy/condition-without-values": {
    severity: "error",
    origin: "istio",
    summary: "A condition without `values` and `notValues`.",
  },
  "policy/condition-key-shape": {
    severity: "error",
    origin: "istio",
    summary: "A condition key that should have the form `a[b]`.",
  },
  "policy/condition-key-retired": {
    severity: "error",
    origin: "istio",
    summary: "A condition key that Istio no longer has.",
  },
  "policy/condition-key-unknown": {
    severity: "error",
    origin: "istio",
    summary: "A condition key that Istio does not have.",
  },
  "policy/deny-widens-on-tcp": {
    severity: "warning",
    origin: "istio",
    summary: "A DENY rule of HTTP attributes alone, which denies all traffic of TCP ports.",
  },
  "jwt/issuer-missing": {
    severity: "error",
    origin: "istio",
    summary: "A JWT rule with neither `issuer` nor `jwksUri`.",
  },
  "jwt/audience-empty": { severity: "error", origin: "istio", summary: "An empty audience." },
  "jwt/jwks-uri": { severity: "error", origin: "istio", summary: "A `jwksUri` that is no http or https address." },
  "jwt/jwks-syntax": { severity: "error", origin: "istio", summary: "A `jwks` that is no JSON Web Key Set." },
  "jwt/location-empty": {
    severity: "error",
    origin: "istio",
    summary: "A place of a token (header, parameter or cookie) without a name.",
  },
  "jwt/claim-header-empty": {
    severity: "error",
    origin: "istio",
    summary: "An item of `outputClaimToHeaders` without its header or its claim.",
  },
  "jwt/claim-header-name": {
    severity: "error",
    origin: "istio",
    summary: "A header of `outputClaimToHeaders` whose name Istio does not take.",
  },
  "jwt/timeout": {
    severity: "error",
    origin: "istio",
    summary: "A timeout that is no duration of whole milliseconds, one or more.",
  },
  "jwt/private-key": {
    severity: "warning",
    origin: "istio",
    summary: "A `jwks` that holds a private or a symmetric key.",
  },
  "peer/ports-without-labels": {
    severity: "error",
    origin: "istio",
    summary: "`portLevelMtls` without a selector with labels.",
  },
  "peer/ports-empty": { severity: "error", origin: "istio", summary: "An empty `portLevelMtls`." },
  "peer/port-range": {
    severity: "error",
    origin: "istio",
    summary: "A key of `portLevelMtls` that is no port from 1 to 65535.",
  },

  // --- our own group: conditions in CEL and answers ---
  "condition/empty": {
    severity: "error",
    origin: "garita",
    summary: "A `cel` list without expressions, or an expression without text.",
  },
  "condition/too-many": { severity: "error", origin: "garita", summary: "More than 16 expressions in one rule." },
  "condition/syntax": { severity: "error", origin: "garita", summary: "An expression that is not well-formed CEL." },
  "condition/type": {
    severity: "error",
    origin: "garita",
    summary:
      "An expression whose types do not fit, that names what there is not, or that does not come to a boolean (a condition) or a text (a value).",
  },
  "condition/not-allowed": {
    severity: "error",
    origin: "garita",
    summary: "A part of CEL that conditions do not have.",
  },
  "condition/pattern": {
    severity: "error",
    origin: "garita",
    summary: "A pattern in an expression that cannot be used, or that is no literal.",
  },
  "condition/too-complex": {
    severity: "error",
    origin: "garita",
    summary: "An expression that is too long, too deep or too dear: its cost at worst is above the bound.",
  },
  "condition/literal": {
    severity: "error",
    origin: "garita",
    summary:
      "A literal in an expression that means no value, such as a time that does not exist, or that the attribute beside it never equals.",
  },
  "condition/claims-before-tokens": {
    severity: "error",
    origin: "garita",
    summary: "An expression of a CUSTOM policy that reads claims; such policies run before tokens are looked at.",
  },
  "response/action": {
    severity: "error",
    origin: "garita",
    summary: "`denyResponse` under another action than DENY, or `allowResponse` under another than ALLOW.",
  },
  "response/empty": {
    severity: "error",
    origin: "garita",
    summary: "A `denyResponse` or `allowResponse` without content.",
  },
  "response/status": {
    severity: "error",
    origin: "garita",
    summary: "A `status` that is no refusal and no redirect, or that Envoy does not know.",
  },
  "response/redirect": { severity: "error", origin: "garita", summary: "A redirect without `location`." },
  "response/header-name": {
    severity: "error",
    origin: "garita",
    summary: "A name that no header can have, or a header that policies may not set.",
  },
  "response/header-twice": { severity: "error", origin: "garita", summary: "Two headers of one name, case aside." },
  "response/header-value": {
    severity: "error",
    origin: "garita",
    summary: "A header's value that is empty, has control characters, or has blanks at its ends.",
  },
  "response/metadata-key": {
    severity: "error",
    origin: "garita",
    summary: "A key of `dynamicMetadata` that every decision has already, or that cannot be seen.",
  },
  "response/too-large": {
    severity: "error",
    origin: "garita",
    summary: "Too many headers or keys, or a name, a value or a body that is too long.",
  },

  // --- our own group: registrations ---
  "registration/spiffe-id": {
    severity: "error",
    origin: "garita",
    summary: "A `spiffeId` that is missing or is no SPIFFE ID of a workload, which has a path.",
  },
  "registration/template": {
    severity: "error",
    origin: "garita",
    summary: "Braces in a `spiffeId` that form no template, or claims where an ID could be taken for another's.",
  },
  "registration/trust-domain": {
    severity: "error",
    origin: "garita",
    summary: "An identity of another trust domain than that of the mesh.",
  },
  "registration/callers-missing": {
    severity: "error",
    origin: "garita",
    summary: "A registration without `callers`, which gives nobody anything.",
  },
  "registration/caller-kind": {
    severity: "error",
    origin: "garita",
    summary: "An item of `callers` that is not one of `spiffeId`, `jwt` and `joinToken`.",
  },
  "registration/template-caller": {
    severity: "error",
    origin: "garita",
    summary: "A caller without claims of a registration whose `spiffeId` takes them.",
  },
  "registration/issuer": { severity: "error", origin: "garita", summary: "A `jwt` caller without an issuer." },
  "registration/claim-path": {
    severity: "error",
    origin: "garita",
    summary: "A path of a claim that is neither a name nor names in brackets.",
  },
  "registration/claim-value": {
    severity: "error",
    origin: "garita",
    summary: "A claim without a value, or with an empty one.",
  },
  "registration/empty-field": {
    severity: "error",
    origin: "garita",
    summary: "A field that narrows a registration, begun and left empty.",
  },
  "registration/dns-name": {
    severity: "error",
    origin: "garita",
    summary: "A value of `dnsNames` that is no DNS name in lower case, or that has a wildcard.",
  },
  "registration/dns-name-twice": {
    severity: "error",
    origin: "garita",
    summary: "A DNS name that stands there twice.",
  },
  "registration/key-kind": {
    severity: "error",
    origin: "garita",
    summary: "A kind of key that the authority does not take, or one that stands there twice.",
  },
  "registration/ttl": {
    severity: "error",
    origin: "garita",
    summary:
      "A lifetime that is no duration of whole seconds from a minute to 90 days, or a default above its maximum.",
  },
  "registration/too-many": {
    severity: "error",
    origin: "garita",
    summary: "More callers, claims, values or DNS names than one registration can have.",
  },
  "registration/everybody": {
    severity: "warning",
    origin: "garita",
    summary: "An identity for every token of an issuer, whoever it was given to.",
  },
  "registration/foreign-caller": {
    severity: "warning",
    origin: "garita",
    summary: "A caller of another trust domain than that of the mesh, whose certificates nobody can verify here.",
  },
  "registration/repeated": {
    severity: "warning",
    origin: "garita",
    summary: "A registration of the same identity for the same callers as another one, which decides.",
  },

  // --- lints beyond Istio ---
  "policy/template-aborts-envoy": {
    severity: "error",
    origin: "garita",
    summary: "A path template that Istio takes and over which Envoy ends its whole process.",
  },
  "policy/condition-key-refused-by-envoy": {
    severity: "error",
    origin: "garita",
    summary: "A condition key that Istio takes and for which Envoy refuses the listener.",
  },
  "jwt/no-usable-key": {
    severity: "error",
    origin: "garita",
    summary: "A `jwks` in which Envoy finds no key that it can use, so that it refuses the listener.",
  },
  "jwt/output-header": {
    severity: "error",
    origin: "garita",
    summary:
      "A header for claims or payloads that Istio takes and without which, or with which, Envoy forwards no request.",
  },
  "lint/separate-items": {
    severity: "warning",
    origin: "garita",
    summary: "Items that each set one different field: any one of them is enough, where all were probably meant.",
  },
  "lint/spiffe-scheme": {
    severity: "warning",
    origin: "garita",
    summary: "`spiffe://` in a principal, which is written without it and so never matches.",
  },
  "lint/host-without-port": {
    severity: "warning",
    origin: "garita",
    summary: "A host without its variant with a port; hosts are compared with the port.",
  },
  "lint/literal-star": {
    severity: "warning",
    origin: "garita",
    summary: "A star that is no wildcard, because one at an end of the value already is.",
  },
  "lint/deny-widens-on-tcp": {
    severity: "warning",
    origin: "garita",
    summary: "A DENY rule that loses conditions on TCP ports and so denies more there.",
  },
  "lint/upper-case-sni": {
    severity: "warning",
    origin: "garita",
    summary: "Capital letters in a server name; Envoy compares it in lower case.",
  },
  "lint/lower-case-method": {
    severity: "warning",
    origin: "garita",
    summary: "Small letters in a method; methods are compared as they stand.",
  },
  "lint/condition-key-not-compiled": {
    severity: "warning",
    origin: "garita",
    summary: "A condition key that Istio takes and cannot compile: ALLOW loses the rule, others the condition.",
  },
  "lint/provider-unknown": {
    severity: "warning",
    origin: "garita",
    summary: "A CUSTOM provider that the mesh does not define: requests that match are denied.",
  },
  "lint/provider-name": {
    severity: "warning",
    origin: "garita",
    summary: "A CUSTOM provider whose name Istio does not take: requests that match are denied.",
  },
  "lint/provider-unresolved": {
    severity: "warning",
    origin: "garita",
    summary: "A CUSTOM provider that cannot be used, for its options or its service: requests that match are denied.",
  },
  "lint/provider-unreachable": {
    severity: "warning",
    origin: "garita",
    summary: "A CUSTOM provider whose service has no address at its port: every question to it fails.",
  },
  "lint/provider-wants-body": {
    severity: "note",
    origin: "garita",
    summary: "A CUSTOM provider that wants to see bodies, which the asking Envoy has to send.",
  },
  "lint/conditions-costly": {
    severity: "warning",
    origin: "garita",
    summary: "Conditions of one policy that together may hold a request, and others behind it, for long.",
  },
  "lint/several-providers": {
    severity: "warning",
    origin: "garita",
    summary: "CUSTOM policies of one workload that name two providers: requests that match either are denied.",
  },
  "lint/issuer-not-discoverable": {
    severity: "warning",
    origin: "garita",
    summary:
      "A JWT rule without keys whose issuer is no address at which they can be discovered: its tokens are refused.",
  },
  "lint/selects-nothing": {
    severity: "warning",
    origin: "garita",
    summary: "A policy that applies to no registered workload, by its labels or by its namespace.",
  },
  "lint/response-in-dry-run": {
    severity: "note",
    origin: "garita",
    summary: "An answer of a policy in dry-run, which nobody is given.",
  },
  "lint/no-extension": {
    severity: "note",
    origin: "garita",
    summary: "A `garita.dev` policy with neither conditions nor answers: Istio's own kind would do.",
  },
  "lint/mtls-disabled": {
    severity: "warning",
    origin: "garita",
    summary: "PeerAuthentication mode DISABLE: where Envoy terminates TLS all the same, identities count as sent.",
  },
  "crd/rules-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 512 rules, which the Kubernetes API refuses.",
  },
  "crd/sources-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 512 items in `from`, which the Kubernetes API refuses.",
  },
  "crd/labels-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 4096 labels in a selector, which the Kubernetes API refuses.",
  },
  "crd/label-value-long": {
    severity: "warning",
    origin: "garita",
    summary: "A label value of more than 63 characters, which the Kubernetes API refuses.",
  },
  "crd/targets-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 16 target references, which the Kubernetes API refuses.",
  },
  "crd/target-name-long": {
    severity: "warning",
    origin: "garita",
    summary: "A target name of more than 253 characters, which the Kubernetes API refuses.",
  },
  "crd/jwt-rules-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 4096 JWT rules, which the Kubernetes API refuses.",
  },
  "crd/issuer-empty": {
    severity: "warning",
    origin: "garita",
    summary: "An issuer that is there and empty, which the Kubernetes API refuses.",
  },
  "crd/jwks-twice": {
    severity: "warning",
    origin: "garita",
    summary: "Both `jwks` and `jwksUri`, which the Kubernetes API refuses; the inline keys are used.",
  },
  "crd/jwks-uri-length": {
    severity: "warning",
    origin: "garita",
    summary: "A `jwksUri` that is empty or longer than 2048 characters, which the Kubernetes API refuses.",
  },
  "crd/space-delimited-claims-too-many": {
    severity: "warning",
    origin: "garita",
    summary: "More than 64 `spaceDelimitedClaims`, which the Kubernetes API refuses.",
  },
  "crd/space-delimited-claim-empty": {
    severity: "warning",
    origin: "garita",
    summary: "An empty item of `spaceDelimitedClaims`, which the Kubernetes API refuses.",
  },

  // --- lowering ---
  "lowering/foreign-trust-domain": {
    severity: "note",
    origin: "istio",
    summary:
      "A principal of a trust domain that is neither the mesh's own nor one of its aliases; it is kept as written.",
  },
  "lowering/value-not-compiled": {
    severity: "error",
    origin: "garita",
    summary:
      "A value that nothing can be made of, and that validation should have refused; left out, a rule would match more.",
  },
  "lowering/unknown-attribute": {
    severity: "error",
    origin: "garita",
    summary:
      "A condition key that Istio does not have, and that validation should have refused; its rule would be left out.",
  },
} as const satisfies Record<string, CodeRow>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
