import { generateKeyPairSync } from "node:crypto";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { PolicyObject, Setting } from "../cases/case.ts";
import { renderRbac } from "./render-rbac.ts";

/** A JWT rule as it stands in a document; only what is rendered. */
export interface WrittenRule {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  readonly jwks?: string;
  readonly jwksUri?: string;
  readonly fromHeaders?: readonly { readonly name: string; readonly prefix?: string }[];
  readonly fromParams?: readonly string[];
  readonly fromCookies?: readonly string[];
  readonly forwardOriginalToken?: boolean;
  readonly outputPayloadToHeader?: string;
  readonly outputClaimToHeaders?: readonly { readonly header: string; readonly claim: string }[];
  readonly spaceDelimitedClaims?: readonly string[];
}

/**
 * The HTTP filters that Istio writes for the policies of a setting, in its order and in Envoy's JSON: one `jwt_authn` for all
 * RequestAuthentications, then RBAC for DENY, then for ALLOW. Policies are taken to select the workload: they stand in its
 * namespace or in the root namespace and have no selector. Throws on what it does not know how to write.
 */
export function renderFilters(setting: Setting): readonly JsonObject[] {
  const policies = setting.policies ?? [];
  const rules = orderedRules(setting);
  const jwt = rules.length === 0 ? [] : [renderJwtAuthn(rules, setting)];
  return [...jwt, ...renderRbac(policies)];
}

/** ORDER: by issuer; of one issuer, the workload's namespace before the root namespace, then as they came. */
function orderedRules(setting: Setting): readonly WrittenRule[] {
  const root = setting.mesh?.rootNamespace ?? "istio-system";
  const found = (setting.policies ?? []).filter(({ kind }) => kind === "RequestAuthentication");
  const inRoot = ({ metadata }: PolicyObject) => metadata?.namespace === root;
  const ordered = [...found.filter((policy) => !inRoot(policy)), ...found.filter(inRoot)];
  const rules = ordered.flatMap(({ spec }) => (spec as { jwtRules?: readonly WrittenRule[] }).jwtRules ?? []);
  return rules.toSorted((one, other) => Buffer.compare(Buffer.from(one.issuer ?? ""), Buffer.from(other.issuer ?? "")));
}

function renderJwtAuthn(rules: readonly WrittenRule[], setting: Setting): JsonObject {
  const edge = setting.workload?.kind === "gateway" || setting.workload?.kind === "k8s-gateway";
  const providers = rules.map((rule, i): [string, JsonObject] => [`origins-${i}`, renderProvider(rule, setting, edge)]);
  return {
    name: "envoy.filters.http.jwt_authn",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
      providers: Object.fromEntries(providers),
      rules: [{ match: { prefix: "/" }, requires: renderRequirement(providers.map(([name]) => name)) }],
      bypass_cors_preflight: true,
    },
  };
}

function renderRequirement(names: readonly string[]): JsonObject {
  const one = (provider_name: string): JsonObject => ({ provider_name });
  const lenient = (name: string): JsonObject => any([one(name), { allow_missing: {} }]);
  if (names.length === 1) return lenient(names[0]!);
  return any([...names.map(one), { requires_all: { requirements: names.map(lenient) } }]);
}

function any(requirements: readonly JsonValue[]): JsonObject {
  return { requires_any: { requirements: [...requirements] } };
}

function renderProvider(rule: WrittenRule, setting: Setting, edge: boolean): JsonObject {
  return {
    issuer: rule.issuer ?? "",
    audiences: [...(rule.audiences ?? [])],
    local_jwks: { inline_string: keysOf(rule, setting) },
    from_headers: (rule.fromHeaders ?? []).map(({ name, prefix }) => ({ name, value_prefix: prefix ?? "" })),
    from_params: [...(rule.fromParams ?? [])],
    from_cookies: [...(rule.fromCookies ?? [])],
    forward: rule.forwardOriginalToken ?? false,
    forward_payload_header: rule.outputPayloadToHeader ?? "",
    claim_to_headers: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({
      header_name: header,
      claim_name: claim,
    })),
    payload_in_metadata: "payload",
    normalize_payload_in_metadata: {
      space_delimited_claims: [...new Set(["permission", "scope", ...(rule.spaceDelimitedClaims ?? [])])],
    },
    // At the edge claims may choose the route.
    clear_route_cache: edge,
  };
}

/** The text of a key set: istiod fetches what is not written and puts it in as it came; without it, a key that nobody has. */
function keysOf({ jwks = "", jwksUri = "" }: WrittenRule, { jwks: documents = {} }: Setting): string {
  if (jwks !== "") return jwks;
  if (jwksUri === "") throw new Error("do not know how to write keys that are to be discovered");
  const document = Object.hasOwn(documents, jwksUri) ? (documents[jwksUri] ?? undefined) : undefined;
  if (document === undefined) return nobodysKey();
  return typeof document === "string" ? document : JSON.stringify(document);
}

let madeKey: string | undefined;

function nobodysKey(): string {
  madeKey ??= JSON.stringify({
    keys: [generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" })],
  });
  return madeKey;
}
