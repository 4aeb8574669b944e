import type { JsonObject } from "@bufbuild/protobuf";
import type { PolicyObject } from "../cases/case.ts";

interface WrittenPolicy {
  readonly action?: "ALLOW" | "DENY";
  readonly rules?: readonly WrittenPolicyRule[];
}

interface WrittenPolicyRule {
  readonly from?: readonly { readonly source: WrittenSource }[];
  readonly when?: readonly WrittenCondition[];
}

interface WrittenSource {
  readonly requestPrincipals?: readonly string[];
  readonly notRequestPrincipals?: readonly string[];
}

interface WrittenCondition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

const understood = new Set(["from", "source", "when", "requestPrincipals", "notRequestPrincipals"]);

/**
 * Envoy's RBAC filters for AuthorizationPolicies that speak of tokens and of headers alone: DENY before ALLOW, each only if a
 * policy has that action. Every policy is taken to select the workload. Throws on anything else.
 */
export function renderRbac(policies: readonly PolicyObject[]): readonly JsonObject[] {
  const written = policies.filter(({ kind }) => kind === "AuthorizationPolicy");
  return (["DENY", "ALLOW"] as const).flatMap((action) => {
    const found = written.filter(({ spec }) => ((spec as WrittenPolicy).action ?? "ALLOW") === action);
    if (found.length === 0) return [];
    return [
      {
        name: "envoy.filters.http.rbac",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
          rules: { action, policies: Object.fromEntries(found.flatMap(renderPolicy)) },
        },
      },
    ];
  });
}

function renderPolicy({ metadata, spec }: PolicyObject): readonly [string, JsonObject][] {
  const place = `ns[${metadata?.namespace}]-policy[${metadata?.name}]`;
  return ((spec as WrittenPolicy).rules ?? []).map((rule, ordinal) => [
    `${place}-rule[${ordinal}]`,
    { permissions: [{ any: true }], principals: renderPrincipals(rule) },
  ]);
}

function renderPrincipals({ from, when = [], ...rest }: WrittenPolicyRule): JsonObject[] {
  refuseOthers(rest);
  const sources: readonly WrittenSource[] = from === undefined ? [{}] : from.map(({ source }) => source);
  return sources.map(({ requestPrincipals, notRequestPrincipals, ...others }) => {
    refuseOthers(others);
    const key = "request.auth.principal";
    const conditions: readonly WrittenCondition[] = [
      { key, values: requestPrincipals ?? [], notValues: notRequestPrincipals ?? [] },
      ...when,
    ];
    const leaves = conditions.flatMap(renderCondition);
    return { and_ids: { ids: leaves.length === 0 ? [{ any: true }] : leaves } };
  });
}

function refuseOthers(rest: object): void {
  const unknown = Object.keys(rest).filter((key) => !understood.has(key));
  if (unknown.length > 0) throw new Error(`do not know how to write ${unknown.join(", ")}`);
}

function renderCondition({ key, values = [], notValues = [] }: WrittenCondition): JsonObject[] {
  const oneOf = (texts: readonly string[]): JsonObject => ({
    or_ids: { ids: texts.map((value) => renderLeaf(key, value)) },
  });
  const positive = values.length === 0 ? [] : [oneOf(values)];
  return notValues.length === 0 ? positive : [...positive, { not_id: oneOf(notValues) }];
}

function renderLeaf(key: string, value: string): JsonObject {
  if (key === "request.auth.principal") return renderPrincipal(value);
  if (key === "request.auth.audiences") return renderClaim(["aud"], value);
  if (key === "request.auth.presenter") return renderClaim(["azp"], value);
  const bracketed = /^request\.(headers|auth\.claims)((?:\[[^[\]]+\])+)$/.exec(key);
  if (bracketed === null) throw new Error(`do not know how to write ${key}`);
  const names = Array.from(bracketed[2]!.matchAll(/\[([^\]]+)\]/g), ([, name]) => name!);
  return bracketed[1] === "headers" ? renderHeader(names[0]!, value) : renderClaim(names, value);
}

function renderHeader(name: string, value: string): JsonObject {
  return { header: value === "*" ? { name, present_match: true } : { name, string_match: pattern(value) } };
}

/** The claim is such a string, or a list with such a string in it. */
function renderClaim(path: readonly string[], value: string): JsonObject {
  const text = { string_match: pattern(value) };
  return metadata(path, { or_match: { value_matchers: [text, { list_match: { one_of: text } }] } });
}

/** Split at the last slash: what stands before is the issuer's pattern, what stands behind the subject's. */
function renderPrincipal(value: string): JsonObject {
  const slash = value.lastIndexOf("/");
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? "" : value.slice(slash + 1);
  const both = (iss: JsonObject, sub: JsonObject): JsonObject => ({
    and_ids: {
      ids: [metadata(["iss"], { string_match: iss }), metadata(["sub"], { string_match: sub })],
    },
  });
  if (value === "*") return both(someText, someText);
  if (value.startsWith("*")) {
    if (slash < 0) return both(someText, { suffix: value.slice(1) });
    return both(issuer === "*" ? someText : { suffix: issuer.slice(1) }, { exact: subject });
  }
  if (value.endsWith("*")) {
    if (slash < 0) return both({ prefix: value.slice(0, -1) }, someText);
    return both({ exact: issuer }, subject === "*" ? someText : { prefix: subject.slice(0, -1) });
  }
  return both({ exact: issuer }, { exact: subject });
}

const someText: JsonObject = { safe_regex: { regex: ".+" } };

function pattern(value: string): JsonObject {
  if (value === "*") return someText;
  if (value.startsWith("*")) return { suffix: value.slice(1) };
  if (value.endsWith("*")) return { prefix: value.slice(0, -1) };
  return { exact: value };
}

function metadata(path: readonly string[], value: JsonObject): JsonObject {
  const filter = "envoy.filters.http.jwt_authn";
  return { metadata: { filter, path: ["payload", ...path].map((key) => ({ key })), value } };
}
