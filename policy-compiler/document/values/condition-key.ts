import { toAsciiLowerCase, toByteString } from "#policy-compiler/ruleset/byte-string";
import type { Attribute, ByteString } from "#policy-compiler/ruleset/model";

/** How the values of a key are read. */
export type ConditionSyntax =
  | "text"
  | "cidr"
  | "port"
  | "principal"
  | "namespace"
  | "serviceAccount"
  | "trustDomain"
  | "requestPrincipal"
  | "metadata";

interface KeyRow {
  readonly attribute: Attribute;
  readonly syntax: ConditionSyntax;
  /** Cannot be asked of a TCP connection. */
  readonly httpOnly: boolean;
}

/** The `when` keys without brackets. */
const plainKeys: ReadonlyMap<string, KeyRow> = new Map<string, KeyRow>([
  ["source.ip", { attribute: { kind: "peerAddress" }, syntax: "cidr", httpOnly: false }],
  ["remote.ip", { attribute: { kind: "remoteAddress" }, syntax: "cidr", httpOnly: false }],
  ["source.namespace", { attribute: { kind: "identity" }, syntax: "namespace", httpOnly: false }],
  ["source.serviceAccount", { attribute: { kind: "identity" }, syntax: "serviceAccount", httpOnly: false }],
  ["source.principal", { attribute: { kind: "identity" }, syntax: "principal", httpOnly: false }],
  ["source.trustDomain", { attribute: { kind: "identity" }, syntax: "trustDomain", httpOnly: false }],
  ["request.auth.principal", { attribute: { kind: "requestPrincipal" }, syntax: "requestPrincipal", httpOnly: true }],
  ["request.auth.audiences", { attribute: { kind: "claim", path: ["aud"] }, syntax: "text", httpOnly: true }],
  ["request.auth.presenter", { attribute: { kind: "claim", path: ["azp"] }, syntax: "text", httpOnly: true }],
  ["destination.ip", { attribute: { kind: "destinationAddress" }, syntax: "cidr", httpOnly: false }],
  ["destination.port", { attribute: { kind: "port" }, syntax: "port", httpOnly: false }],
  ["connection.sni", { attribute: { kind: "sni" }, syntax: "text", httpOnly: false }],
]);

/** The beginnings of the `when` keys with brackets. */
const bracketKeys = ["request.headers", "request.auth.claims", "experimental.envoy.filters."] as const;
export type BracketKey = (typeof bracketKeys)[number];

/** Keys that Istio had once, and what its validation says instead. */
const retiredKeys: readonly { readonly key: string; readonly prefix: boolean; readonly instead: string }[] = [
  { key: "destination.namespace", prefix: false, instead: "the policy's own namespace" },
  { key: "destination.labels", prefix: true, instead: "the selector" },
  { key: "destination.name", prefix: false, instead: "the selector" },
  { key: "destination.user", prefix: false, instead: "the selector" },
];

/**
 * Why a key with brackets is at fault. `shape`: not of the form `a[b]`, which Istio's validation refuses. `not-compiled`: Istio's
 * validation takes it and its compiler cannot (`request.headersFoo[x]`). `refused-by-envoy`: both take it and Envoy refuses
 * the listener (an empty claim name in a path, or a header name with NUL, CR or LF).
 */
export type ConditionKeyFault = "shape" | "not-compiled" | "refused-by-envoy";

export type ConditionKey =
  | ({ readonly kind: "known" } & KeyRow)
  | { readonly kind: "retired"; readonly instead: string }
  | { readonly kind: "malformed"; readonly of: BracketKey; readonly fault: ConditionKeyFault }
  | { readonly kind: "unknown" };

/** Reads a `when` key: the exact set of Istio's compiler (and its own bracket rules), nothing else. */
export function parseConditionKey(key: string): ConditionKey {
  const plain = plainKeys.get(key);
  if (plain !== undefined) return { kind: "known", ...plain };
  for (const of of bracketKeys) if (key.startsWith(of)) return parseBracketKey(key, of);
  for (const { key: retired, prefix, instead } of retiredKeys) {
    if (prefix ? key.startsWith(retired) : key === retired) return { kind: "retired", instead };
  }
  return { kind: "unknown" };
}

/** The `when` keys that an author may write, for suggestions; those with brackets end in `[`. */
export const knownConditionKeys: readonly string[] = [
  ...plainKeys.keys(),
  "request.headers[",
  "request.auth.claims[",
  "experimental.envoy.filters.",
];

function parseBracketKey(key: string, of: BracketKey): ConditionKey {
  const malformed = (fault: ConditionKeyFault): ConditionKey => ({ kind: "malformed", of, fault });
  const open = key.indexOf("[");
  if (open === -1 || !key.endsWith("]") || open >= key.length - 2) return malformed("shape");
  switch (of) {
    case "request.headers": {
      const name = nameInBrackets(key.slice(of.length));
      if (name === undefined) return malformed("not-compiled");
      // Envoy's own validation of header names that are not checked strictly.
      if (["\0", "\r", "\n"].some((control) => name.includes(control))) return malformed("refused-by-envoy");
      const lower = toByteString(toAsciiLowerCase(name));
      return known({ kind: "header", name: lower === "host" ? ":authority" : lower }, "text", true);
    }
    case "request.auth.claims": {
      const path = namesInNestedBrackets(key.slice(of.length));
      if (path === undefined) return malformed("not-compiled");
      if (path.includes("")) return malformed("refused-by-envoy");
      return known({ kind: "claim", path: path.map(toByteString) }, "text", true);
    }
    case "experimental.envoy.filters.": {
      const namespace = toByteString(key.slice("experimental.".length, open));
      const name: ByteString = toByteString(key.slice(open + 1, -1));
      return known({ kind: "metadata", namespace, key: name }, "metadata", false);
    }
  }
}

function known(attribute: Attribute, syntax: ConditionSyntax, httpOnly: boolean): ConditionKey {
  return { kind: "known", attribute, syntax, httpOnly };
}

/** Istio's extractNameInBrackets: everything between a bracket at the start and one at the end. */
function nameInBrackets(text: string): string | undefined {
  return text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : undefined;
}

/** Istio's extractNameInNestedBrackets: `[a][b]` is two names; what does not parse so is one name, brackets included. */
function namesInNestedBrackets(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let begin = 0;
  while (begin < text.length) {
    const end = text.indexOf("]", begin);
    const inner = text.indexOf("[", begin + 1);
    if (text[begin] !== "[" || end === -1 || (inner !== -1 && inner < end)) {
      const whole = nameInBrackets(text);
      return whole === undefined ? undefined : [whole];
    }
    names.push(text.slice(begin + 1, end));
    begin = end + 1;
  }
  return names;
}
