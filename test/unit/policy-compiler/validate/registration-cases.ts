import { registrationLimits } from "#policy-compiler/ruleset/registration-limits";
import type { RuleCase } from "./rule-cases.ts";

const own = { own: true, kind: "WorkloadRegistration" } as const;
const id = "spiffeId: spiffe://cluster.local/ns/web/sa/nginx";
const joined = "callers: [{joinToken: {}}]";
const right = `${id}, ${joined}`;
const many = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join(", ");
const jwt = (fields: string) => `${id}, callers: [{jwt: {${fields}}}]`;
const issued = (fields: string) => jwt(`issuer: "https://i", ${fields}`);
const template = (text: string) => `spiffeId: "${text}", callers: [{jwt: {issuer: "https://i"}}]`;

/** SPIFFE IDs that are none, with words of what is said. */
function ids(rows: readonly (readonly [bad: string, says: string])[]): readonly RuleCase[] {
  return rows.map(([bad, says]) => ({
    ...own,
    code: "registration/spiffe-id",
    bad: `spiffeId: "${bad}", ${joined}`,
    underlined: [`"${bad}"`],
    good: right,
    says,
  }));
}

function templates(rows: readonly (readonly [bad: string, good: string, says: string])[]): readonly RuleCase[] {
  return rows.map(([bad, good, says]) => ({
    ...own,
    code: "registration/template",
    bad: template(bad),
    underlined: [`"${bad}"`],
    good: template(good),
    says,
  }));
}

function dnsNames(bad: readonly string[]): readonly RuleCase[] {
  return bad.map((name) => ({
    ...own,
    code: "registration/dns-name",
    bad: `${right}, dnsNames: [web, "${name}"]`,
    underlined: [`"${name}"`],
    good: `${right}, dnsNames: [web.example, xn--bcher-kva.example, a-b.c0, w]`,
  }));
}

function ttls(rows: readonly (readonly [bad: string, underlined: string, good: string])[]): readonly RuleCase[] {
  return rows.map(([bad, underlined, good]) => ({
    ...own,
    code: "registration/ttl",
    bad: `${right}, ttl: {${bad}}`,
    underlined: [underlined],
    good: `${right}, ttl: {${good}}`,
  }));
}

const other = (spec: string, name = "other", namespace = "foo") => `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;

/** What a WorkloadRegistration can have wrong. */
export const registrationCases: readonly RuleCase[] = [
  { ...own, code: "registration/spiffe-id", bad: joined, underlined: ["p"], good: right, says: "found none" },
  ...ids([
    ["", "empty text"],
    ["cluster.local/ns/web/sa/nginx", "`spiffe://`"],
    ["SPIFFE://cluster.local/a", "`spiffe://`"],
    ["spiffe:///a", "the trust domain stands behind"],
    ["spiffe://Cluster.local/a", "lower-case letters"],
    ["spiffe://cluster.local:80/a", "lower-case letters"],
    ["spiffe://cluster.local", "it names the authority"],
    ["spiffe://cluster.local/", "slash at the end"],
    ["spiffe://cluster.local/a/", "slash at the end"],
    ["spiffe://cluster.local//a", "two slashes"],
    ["spiffe://cluster.local/a/../b", "no names"],
    ["spiffe://cluster.local/a b", "letters, digits"],
    ["spiffe://cluster.local/a%2fb", "letters, digits"],
    ["spiffe://cluster.local/*", "letters, digits"],
    ["spiffe://cluster.local/a?b", "letters, digits"],
    [`spiffe://cluster.local/${"a".repeat(2048)}`, "2048"],
    [`spiffe://${"a".repeat(256)}/a`, "255"],
  ]),
  {
    ...own,
    code: "registration/spiffe-id",
    bad: template("spiffe://cluster.local/ns/ü/{sub}"),
    underlined: ['"spiffe://cluster.local/ns/ü/{sub}"'],
    good: template("spiffe://cluster.local/ns/u/{sub}"),
  },
  {
    ...own,
    code: "registration/spiffe-id",
    bad: `${id}, callers: [{spiffeId: "spiffe://cluster.local"}, {spiffeId: nginx}, {spiffeId: "spiffe://cluster.local/{sub}"}]`,
    underlined: ['"spiffe://cluster.local"', "nginx", '"spiffe://cluster.local/{sub}"'],
    good: `${id}, callers: [{spiffeId: "spiffe://cluster.local/a"}]`,
  },
  ...templates([
    ["spiffe://cluster.local/{sub", "spiffe://cluster.local/{sub}", "pairs of braces"],
    ["spiffe://cluster.local/sub}", "spiffe://cluster.local/{sub}", "pairs of braces"],
    ["spiffe://cluster.local/{a{b}", "spiffe://cluster.local/{a}", "pairs of braces"],
    ["spiffe://cluster.local/{a}}", "spiffe://cluster.local/x-{a}-y", "pairs of braces"],
    ["{iss}/a", "spiffe://cluster.local/a/{iss}", "in the path"],
    ["spiffe://{td}/a", "spiffe://cluster.local/{td}", "in the path"],
    ["spiffe://cluster.local{td}/a", "spiffe://cluster.local/{td}", "in the path"],
    ["spiffe://cluster.local/{a}-{b}", "spiffe://cluster.local/{a}/{b}", "one identity"],
    ["spiffe://cluster.local/{a}{b}", "spiffe://cluster.local/{a}/-{b}", "one identity"],
  ]),
  ...["", "a[b]", "[a]b", "[a][]", "[]", "[a", "[[a]]"].map(
    (path): RuleCase => ({
      ...own,
      code: "registration/claim-path",
      bad: template(`spiffe://cluster.local/{${path}}`),
      underlined: [`"spiffe://cluster.local/{${path}}"`],
      good: template("spiffe://cluster.local/{[kubernetes.io][namespace]}"),
      says: "`[a][b]`",
    }),
  ),
  {
    ...own,
    code: "registration/claim-path",
    bad: issued('claims: {"": a, sub: b, "[a]b": c}'),
    underlined: ['""', '"[a]b"'],
    good: issued('claims: {"https://example.com/roles": a, "[kubernetes.io][namespace]": b, a.b: c}'),
  },
  {
    ...own,
    code: "registration/trust-domain",
    mesh: "trustDomain: hello.mesh\ntrustDomainAliases: [cluster.local]\n",
    bad: right,
    underlined: ["spiffe://cluster.local/ns/web/sa/nginx"],
    good: `spiffeId: "spiffe://hello.mesh/a", ${joined}`,
    says: "`hello.mesh`",
  },
  {
    ...own,
    code: "registration/trust-domain",
    bad: template("spiffe://cluster.locale/{sub}"),
    underlined: ['"spiffe://cluster.locale/{sub}"'],
    good: template("spiffe://cluster.local/{sub}"),
    says: "`mesh.yaml`",
  },
  {
    ...own,
    code: "registration/callers-missing",
    bad: `${id}, callers: []`,
    underlined: ["p"],
    good: right,
    says: "`- joinToken: {}`",
  },
  {
    ...own,
    code: "registration/caller-kind",
    bad: `${id}, callers: [{}, {joinToken: null}, {joinToken: {}, spiffeId: "spiffe://cluster.local/a"}]`,
    underlined: ["{}", "{joinToken: null}", '{joinToken: {}, spiffeId: "spiffe://cluster.local/a"}'],
    good: `${id}, callers: [{joinToken: {}}, {spiffeId: "spiffe://cluster.local/a"}]`,
  },
  {
    ...own,
    code: "registration/template-caller",
    bad: `spiffeId: "spiffe://cluster.local/{sub}", callers: [{joinToken: {}}, {jwt: {issuer: i}}, {spiffeId: "spiffe://cluster.local/a"}]`,
    underlined: ["{}", '"spiffe://cluster.local/a"'],
    good: template("spiffe://cluster.local/{sub}"),
  },
  {
    ...own,
    code: "registration/issuer",
    bad: `${id}, callers: [{jwt: {claims: {sub: a}}}, {jwt: {issuer: "", claims: {sub: b}}}]`,
    underlined: ["{claims: {sub: a}}", '""'],
    good: issued("claims: {sub: a}"),
  },
  {
    ...own,
    code: "registration/claim-value",
    bad: issued('claims: {sub: "", groups: [a, ""], roles: []}'),
    underlined: ['""', '""', "roles"],
    good: issued("claims: {sub: a, groups: [b, c]}"),
  },
  {
    ...own,
    code: "registration/empty-field",
    bad: `${right}, dnsNames: [], keyKinds: null, ttl: {}`,
    underlined: ["dnsNames", "keyKinds", "ttl"],
    good: `${right}, dnsNames: [a], keyKinds: [P-256], ttl: {max: 1h}`,
  },
  {
    ...own,
    code: "registration/empty-field",
    bad: `${id}, callers: [{jwt: {issuer: i, claims: {}}}, {jwt: {issuer: j, claims: null}}]`,
    underlined: ["claims", "claims"],
    good: issued("claims: {sub: a}"),
    says: "every token",
  },
  ...dnsNames([
    "",
    "*.example",
    "Web.example",
    "web.example.",
    ".example",
    "a..b",
    "-a.example",
    "a-.example",
    "a_b.example",
    "10.0.0.1",
    "::1",
    "bücher.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(127)}a`,
  ]),
  {
    ...own,
    code: "registration/dns-name-twice",
    bad: `${right}, dnsNames: [a, b, a]`,
    underlined: ["a"],
    good: `${right}, dnsNames: [a, b]`,
  },
  {
    ...own,
    code: "registration/key-kind",
    bad: `${right}, keyKinds: [P-256, p-384, Ed25519, P-256]`,
    underlined: ["p-384", "Ed25519", "P-256"],
    good: `${right}, keyKinds: [P-256, P-384, RSA-2048, RSA-3072, RSA-4096]`,
    says: "did you mean `P-384`?",
  },
  ...ttls([
    ["default: 1d", "1d", "default: 24h"],
    ["default: 59s", "59s", "default: 60s"],
    ["max: 2160h1s", "2160h1s", "max: 2160h"],
    ["max: -24h", "-24h", "max: 24h"],
    ["default: 90500ms", "90500ms", "default: 90s"],
    ["max: 1h1ns", "1h1ns", "max: 1h"],
    ['default: ""', '""', "default: 1m"],
    ["default: 2h, max: 1h", "2h", "default: 1h, max: 60m"],
  ]),
  {
    ...own,
    code: "registration/too-many",
    bad: `${id}, callers: [${many(registrationLimits.callers, () => "{joinToken: {}}")}, {spiffeId: "spiffe://cluster.local/a"}]`,
    underlined: ['{spiffeId: "spiffe://cluster.local/a"}'],
    good: `${id}, callers: [${many(registrationLimits.callers, () => "{joinToken: {}}")}]`,
  },
  {
    ...own,
    code: "registration/too-many",
    bad: `${right}, dnsNames: [${many(registrationLimits.dnsNames, (i) => `a${i}`)}, last]`,
    underlined: ["last"],
    good: `${right}, dnsNames: [${many(registrationLimits.dnsNames, (i) => `a${i}`)}]`,
  },
  {
    ...own,
    code: "registration/too-many",
    bad: `${right}, dnsNames: [${many(8, (i) => `a${i}.${"b".repeat(63)}.${"c".repeat(63)}`)}]`,
    underlined: ["dnsNames"],
    good: `${right}, dnsNames: [${many(7, (i) => `a${i}.${"b".repeat(63)}.${"c".repeat(63)}`)}]`,
  },
  {
    ...own,
    code: "registration/too-many",
    bad: issued(
      `claims: {${many(registrationLimits.claims, (i) => `c${i}: a`)}, last: [${many(registrationLimits.values, (i) => `v${i}`)}, w]}`,
    ),
    underlined: ["last", "w"],
    good: issued(
      `claims: {${many(registrationLimits.claims - 1, (i) => `c${i}: a`)}, last: [${many(registrationLimits.values, (i) => `v${i}`)}]}`,
    ),
  },
  {
    ...own,
    code: "registration/everybody",
    bad: jwt("issuer: i"),
    underlined: ["{issuer: i}"],
    good: jwt("issuer: i, claims: {sub: a}"),
  },
  {
    ...own,
    code: "registration/everybody",
    bad: jwt("issuer: i"),
    underlined: ["{issuer: i}"],
    good: template("spiffe://cluster.local/{sub}"),
    says: "whoever has a token",
  },
  {
    ...own,
    code: "registration/foreign-caller",
    bad: `${id}, callers: [{spiffeId: "spiffe://other.mesh/a"}]`,
    underlined: ['"spiffe://other.mesh/a"'],
    good: `${id}, callers: [{spiffeId: "spiffe://cluster.local/a"}]`,
  },
  {
    ...own,
    code: "registration/repeated",
    registry: other(`${id}, callers: [{joinToken: {}}, {jwt: {issuer: i, claims: {b: [v, u], a: w}}}]`),
    bad: `${id}, ttl: {max: 1h}, callers: [{jwt: {issuer: i, claims: {a: w, b: [u, v]}}}, {joinToken: {}}, {joinToken: {}}]`,
    underlined: ["p"],
    good: `${id}, callers: [{jwt: {issuer: i, claims: {a: w, b: [u]}}}, {joinToken: {}}]`,
    says: "`foo/other`",
  },
  {
    ...own,
    code: "registration/repeated",
    registry: other(right, "z"),
    // The other one repeats this one: names count, not files.
    bad: `${right}\n}\n---\napiVersion: garita.dev/v1alpha1\nkind: WorkloadRegistration\nmetadata: {name: q}\nspec: {${right}`,
    underlined: ["p"],
    good: `spiffeId: "spiffe://cluster.local/a", ${joined}`,
    says: "`default/q`",
  },
  {
    ...own,
    code: "metadata/dry-run-kind",
    annotations: 'istio.io/dry-run: "true"',
    bad: right,
    underlined: ['"true"'],
    good: right,
    goodAnnotations: "",
  },
];
