import type { Random } from "#test/support/random";
import type { PolicyObject, PolicySetLine } from "../cases/case.ts";
import { claimNames } from "./claims.ts";
import { type KeySetDraft, randomKeySet } from "./key-sets.ts";
import type { SigningKey } from "./keys.ts";
import type { WrittenRule } from "./render.ts";

/** A policy set, and for each JWT rule the keys that tokens for it may be signed with. */
export interface PolicySetDraft {
  readonly set: PolicySetLine;
  readonly rules: readonly RuleDraft[];
}

export interface RuleDraft {
  readonly rule: WrittenRule;
  readonly keySet: KeySetDraft;
  /** What is found at its `jwksUri`, if it has one; `null`: nothing. */
  readonly document: unknown;
}

const issuers = ["https://i1", "https://i1", "https://i2/", "i3", "i3", "i\u00e9", "I3"];
const audiences = ["web", "https://web/", "http://web", "api", "https://api.example/v1/", "x", "https://", "/"];

export const headerLocations: readonly { readonly name: string; readonly prefix?: string }[] = [
  { name: "Authorization", prefix: "Bearer " },
  { name: "Authorization", prefix: "Bearer " },
  { name: "authorization", prefix: "Bearer " },
  { name: "x-jwt" },
  { name: "x-jwt", prefix: "Tok " },
  { name: "x-other-jwt" },
  { name: "X-Mixed", prefix: "JWT:" },
  { name: "Authorization", prefix: "Token " },
  { name: "Authorization", prefix: "Bearer" },
  { name: "authorization" },
  { name: "x-jwt", prefix: "=" },
  { name: "x_under", prefix: "a b " },
  { name: "cookie", prefix: "session=" },
];
export const params = ["access_token", "tok", "tok", "a b", "t.k", "tok[]", "T", "\u00e9"];
export const cookies = ["session", "session", "c-2", "__Host-s", "a.b"];

const outputHeaders = [
  "x-c-a",
  "x-c-b",
  "X-C-Mixed",
  "x-c_under",
  "x-c-a",
  "x-jwt",
  "user-agent",
  "authorization",
  "x-other-jwt",
];

/** One to five JWT rules in one or two RequestAuthentications, mostly with AuthorizationPolicies on what the tokens say. */
export function randomPolicies(random: Random, name: string, ring: readonly SigningKey[]): PolicySetDraft {
  const rules = random.list(1, random.pick([1, 1, 2, 2, 3, 5]), () => randomRule(random, ring));
  const cut = random.chance(0.25) ? random.int(1, rules.length) : rules.length;
  const first = random.chance(0.85) ? "foo" : "istio-system";
  const second = first === "foo" ? random.pick(["istio-system", "foo"]) : "foo";
  const policies = [
    requestAuthentication("ra", first, rules.slice(0, cut)),
    ...(cut < rules.length ? [requestAuthentication("rb", second, rules.slice(cut))] : []),
    ...randomAuthorization(random),
  ];
  const edge = random.chance(0.12);
  const set: PolicySetLine = {
    policySet: name,
    mesh: {
      rootNamespace: "istio-system",
      trustDomain: "td1",
      pathNormalization: random.pick(["BASE", "BASE", "BASE", "NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
    },
    workload: {
      namespace: "foo",
      labels: { app: "httpbin" },
      kind: edge ? "gateway" : "sidecar",
      port: { number: 8080, protocol: "HTTP" },
    },
    policies,
    jwks: Object.fromEntries(
      rules.flatMap(({ rule, document }) => (rule.jwksUri === undefined ? [] : [[rule.jwksUri, document]])),
    ),
  };
  return { set, rules };
}

function requestAuthentication(name: string, namespace: string, rules: readonly RuleDraft[]): PolicyObject {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name, namespace },
    spec: { jwtRules: rules.map(({ rule }) => rule) },
  };
}

function randomRule(random: Random, ring: readonly SigningKey[]): RuleDraft {
  const keySet = randomKeySet(random, ring);
  const source = randomSource(random, keySet);
  const some = <T>(probability: number, make: () => T): T | undefined =>
    random.chance(probability) ? make() : undefined;
  const rule = {
    // Only where keys are fetched may an issuer be missing, and every one is taken.
    issuer: source.jwks === undefined && random.chance(0.2) ? undefined : random.pick(issuers),
    jwks: source.jwks,
    jwksUri: source.jwksUri,
    audiences: some(0.35, () => random.list(1, 3, () => random.pick(audiences))),
    ...randomLocations(random),
    forwardOriginalToken: some(0.35, () => random.chance(0.8)),
    outputPayloadToHeader: some(0.3, () => random.pick(["x-payload", "X-Payload", "x-p-2"])),
    outputClaimToHeaders: some(0.6, () =>
      random.list(1, 4, () => ({ header: random.pick(outputHeaders), claim: random.pick(claimNames) })),
    ),
    spaceDelimitedClaims: some(0.25, () =>
      random.list(1, 2, () => random.pick(["roles", "g", "s", "sub", "o.k", "scope"])),
    ),
  };
  const written = Object.entries(rule).filter(([, value]) => value !== undefined);
  return { rule: Object.fromEntries(written) as unknown as WrittenRule, keySet, document: source.document };
}

/** Keys written in the rule, or found at a URI of its own; there they may be missing, or no keys at all. */
function randomSource(
  random: Random,
  { text }: KeySetDraft,
): { readonly jwks?: string; readonly jwksUri?: string; readonly document: unknown } {
  if (random.chance(0.8)) return { jwks: text, document: null };
  const found: unknown = random.chance(0.5) ? text : JSON.parse(text);
  const document = random.chance(0.9) ? found : random.pick([null, null, "no keys", {}, { keys: [] }]);
  return { jwksUri: `https://keys.example/${random.int(0, 0xffffffff).toString(16)}`, document };
}

function randomLocations(random: Random): Pick<WrittenRule, "fromHeaders" | "fromParams" | "fromCookies"> {
  if (random.chance(0.4)) return {};
  return {
    ...(random.chance(0.6) ? { fromHeaders: random.list(1, 2, () => random.pick(headerLocations)) } : {}),
    ...(random.chance(0.4) ? { fromParams: random.list(1, 2, () => random.pick(params)) } : {}),
    ...(random.chance(0.3) ? { fromCookies: random.list(1, 2, () => random.pick(cookies)) } : {}),
  };
}

const principals = [
  "*",
  "*",
  "https://i1/alice",
  "i3/*",
  "https://i1/*",
  "*/alice",
  "*bob",
  "https://i2//a/b",
  "*/*",
  "i3",
  "i3/",
  "https*",
  "i\u00e9/\u00e9",
];

const conditions: readonly (readonly [key: string, values: readonly string[]])[] = [
  ["request.auth.principal", principals],
  ["request.auth.audiences", ["web", "any", "*", "https://web/", "a*", "*i"]],
  ["request.auth.presenter", ["cli", "*", "c*"]],
  ["request.auth.claims[scope]", ["read", "write", "read write", "*", "r*"]],
  ["request.auth.claims[permission]", ["p1", "*", "p1 p2"]],
  ["request.auth.claims[roles]", ["r1", "r2", "r1 r2", "*"]],
  ["request.auth.claims[g]", ["a", "*", "b", "*g", "a/b"]],
  ["request.auth.claims[adm]", ["true", "*"]],
  ["request.auth.claims[n]", ["7", "*"]],
  ["request.auth.claims[o][k]", ["v", "*", "w"]],
  ["request.auth.claims[o][d][e]", ["deep", "de*"]],
  ["request.auth.claims[o.k]", ["v", "dot*"]],
  ["request.auth.claims[u]", ["h\u00e9", "*\u00e9", "\u00e9*", "\u65e5\u672c"]],
  ["request.auth.claims[s]", ["a,b", " lead", "trail ", "a*", "\\*"]],
  ["request.headers[authorization]", ["*", "Bearer*"]],
  ["request.headers[x-c-a]", ["*", "alice", "v"]],
  ["request.headers[x-jwt]", ["*"]],
];

function randomAuthorization(random: Random): readonly PolicyObject[] {
  const policy = (name: string, spec: object): PolicyObject => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: random.pick(["foo", "istio-system"]) },
    spec,
  });
  const deny = random.chance(0.3)
    ? [policy("deny", { action: "DENY", rules: random.list(1, 2, () => narrowRule(random)) })]
    : [];
  const broad = random.pick<object>([
    {},
    { from: [{ source: { requestPrincipals: ["*"] } }] },
    { from: [{ source: { notRequestPrincipals: ["*"] } }] },
  ]);
  const rules = random.list(1, 3, () => narrowRule(random));
  const allow = random.chance(0.45) ? [policy("allow", { rules: random.chance(0.7) ? [...rules, broad] : rules })] : [];
  return [...deny, ...allow];
}

function narrowRule(random: Random): object {
  const source = random.pick<object>([
    { requestPrincipals: random.list(1, 2, () => random.pick(principals)) },
    { notRequestPrincipals: random.list(1, 2, () => random.pick(principals)) },
    { requestPrincipals: ["*"], notRequestPrincipals: [random.pick(principals)] },
  ]);
  const condition = () => {
    const [key, values] = random.pick(conditions);
    const chosen = random.list(1, 2, () => random.pick(values));
    return { key, [random.chance(0.75) ? "values" : "notValues"]: chosen };
  };
  return random.pick<object>([
    { from: [{ source }] },
    { when: random.list(1, 2, condition) },
    { when: [condition()] },
    { from: [{ source }], when: [condition()] },
  ]);
}
