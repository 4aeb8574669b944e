import type { RuleCase } from "./rule-cases.ts";

const own = { own: true } as const;
const rule = (action: string, fields: string) => `action: ${action}, rules: [{${fields}}]`;
const deny = (fields: string) => rule("DENY", `denyResponse: {${fields}}`);
const allow = (fields: string) => rule("ALLOW", `allowResponse: {${fields}}`);
const many = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join(", ");
const cels = (count: number) => many(count, (i) => `'${i} < 1'`);
const asks = (fields: string) => `action: CUSTOM, provider: {name: p}, rules: [{${fields}}]`;
const dryRun = 'istio.io/dry-run: "true"';

/** Expressions of one condition: at fault, what of it is underlined, its good twin, words of the message. */
function expressions(
  code: RuleCase["code"],
  rows: readonly (readonly [bad: string, underlined: string, good: string, says?: string])[],
): readonly RuleCase[] {
  const cel = (text: string) => rule("ALLOW", `cel: ["true", "${text}"]`);
  return rows.map(([bad, underlined, good, says]) => ({
    ...own,
    code,
    bad: cel(bad),
    underlined: [underlined],
    good: cel(good),
    ...(says !== undefined && { says }),
  }));
}

/** What only policies of our own group can have wrong. */
export const extensionCases: readonly RuleCase[] = [
  {
    ...own,
    code: "condition/empty",
    bad: rule("ALLOW", "cel: []"),
    underlined: ["cel"],
    good: rule("ALLOW", "to: []"),
  },
  {
    ...own,
    code: "condition/empty",
    bad: rule("ALLOW", "cel: "),
    underlined: ["cel"],
    good: rule("ALLOW", "cel: ['true']"),
  },
  {
    ...own,
    code: "condition/empty",
    bad: rule("DENY", "cel: ['', ' ', null, 'true'], denyResponse: {body: {cel: ''}}"),
    underlined: ["''", "' '", "null", "''"],
    good: rule("DENY", "cel: ['true'], denyResponse: {body: ''}"),
  },
  {
    ...own,
    code: "condition/too-many",
    bad: rule("AUDIT", `cel: [${cels(18)}]`),
    underlined: ["16 < 1"],
    good: rule("AUDIT", `cel: [${cels(16)}]`),
    says: "found 18",
  },
  // Expressions: the part at fault is underlined, not the whole.
  ...expressions("condition/syntax", [
    ["request.method ==", "", "request.method == 'GET'", "unexpected"],
    ["'a", "'a", "'a' == 'a'", "unterminated"],
  ]),
  ...expressions("condition/type", [
    ["request.method", "request.method", "request.method == 'GET'", "expected `bool`, found `string`"],
    ["connection.tls && request.method == 1", "request.method == 1", "connection.tls && request.size == 1"],
    ["claims.admin", "claims.admin", "claims.admin == true", "expected `bool`, found `dyn`"],
  ]),
  ...expressions("condition/not-allowed", [
    [
      "connection.tls || request.pth == '/a'",
      "request.pth",
      "connection.tls || request.path == '/a'",
      "no member `pth`",
    ],
    ["user == 'a'", "user", "claims.user == 'a'"],
    ["type(claims) == map", "type(claims)", "has(claims.a)"],
  ]),
  ...expressions("condition/pattern", [
    ["request.path.matches('(a')", "'(a'", "request.path.matches('(a)')"],
    ["request.path.matches(request.host)", "request.host", "request.path.matches('a')"],
  ]),
  ...expressions("condition/literal", [
    ["now < timestamp('2030-02-30T00:00:00Z')", "'2030-02-30T00:00:00Z'", "now < timestamp('2030-02-28T00:00:00Z')"],
    ["request.method == 'get'", "'get'", "request.method == 'GET'", "write `GET`"],
  ]),
  ...expressions("condition/too-complex", [
    [
      "tokens.all(a, tokens.all(b, tokens.all(c, a == c)))",
      "tokens.all(c, a == c)",
      "tokens.all(a, has(a.sub) && a.sub == 'x')",
      "at most 2 deep",
    ],
  ]),
  {
    ...own,
    code: "condition/claims-before-tokens",
    bad: asks("cel: [\"request.method == 'GET'\", \"claims.sub == 'a'\", 'tokens.size() > 0']"),
    underlined: ["claims", "tokens"],
    good: rule("ALLOW", "cel: [\"claims.sub == 'a'\", 'tokens.size() > 0']"),
    says: "CUSTOM",
  },
  {
    ...own,
    code: "lint/deny-widens-on-tcp",
    bad: rule("DENY", "cel: ['connection.tls', 'now.getHours() > 8 && request.size > 5']"),
    underlined: ["now.getHours() > 8 && request.size > 5"],
    good: rule("DENY", "cel: ['connection.tls', 'now.getHours() > 8']"),
    says: "`request.size`",
  },
  {
    ...own,
    code: "lint/deny-widens-on-tcp",
    bad: rule("DENY", "from: [{source: {namespaces: [a]}}], cel: ['has(claims.a)']"),
    underlined: ["has(claims.a)"],
    good: rule("DENY", "to: [{operation: {ports: ['80']}}], cel: ['has(claims.a)']"),
  },
  {
    ...own,
    code: "lint/deny-widens-on-tcp",
    bad: rule("DENY", "cel: ['request.size > 5']"),
    underlined: ["request.size > 5"],
    good: rule("DENY", "when: [{key: destination.port, values: ['80']}], cel: ['request.size > 5']"),
  },
  {
    ...own,
    code: "lint/deny-widens-on-tcp",
    bad: rule("DENY", "cel: ['request.size > 5', 'has(claims.a)']"),
    underlined: ["request.size > 5"],
    good: rule("ALLOW", "cel: ['request.size > 5']"),
  },
  {
    ...own,
    code: "lint/conditions-costly",
    bad: rule("ALLOW", `cel: [${Array.from({ length: 16 }, () => "'claims.a.exists(x, x in claims.b)'").join(", ")}]`),
    underlined: ["p"],
    good: rule("ALLOW", "cel: ['claims.a.exists(x, x in claims.b)']"),
  },
  // Values of answers are expressions that come to text.
  {
    ...own,
    code: "condition/type",
    bad: deny("headers: {x-sub: {cel: claims.sub}, x-path: {cel: request.path}}, body: {cel: \"'a' + 1\"}"),
    underlined: ["claims.sub", "'a' + 1"],
    good: deny("headers: {x-sub: {cel: string(claims.sub)}}, body: {cel: \"'a' + string(1)\"}"),
    says: "write `string(…)` around it",
  },
  {
    ...own,
    code: "condition/not-allowed",
    bad: allow("requestHeaders: {a: {cel: b}}, responseHeaders: {a: {cel: c}}, dynamicMetadata: {a: {cel: d}}"),
    underlined: ["b", "c", "d"],
    good: allow("requestHeaders: {a: {cel: request.path}}, responseHeaders: {a: c}, dynamicMetadata: {a: d}"),
  },
  {
    ...own,
    code: "response/action",
    bad: rule("ALLOW", "denyResponse: {status: 401}"),
    underlined: ["denyResponse"],
    good: rule("DENY", "denyResponse: {status: 401}"),
    says: "found action `ALLOW`",
  },
  {
    ...own,
    code: "response/action",
    bad: rule("AUDIT", "denyResponse: {status: 401}, allowResponse: {requestHeaders: {a: b}}"),
    underlined: ["denyResponse", "allowResponse"],
    good: rule("AUDIT", "cel: ['true']"),
  },
  {
    ...own,
    code: "response/action",
    bad: asks("allowResponse: {requestHeaders: {a: b}}"),
    underlined: ["allowResponse"],
    good: asks("cel: ['true']"),
    says: "the provider that answers",
  },
  {
    ...own,
    code: "response/action",
    bad: rule("DENY", "allowResponse: {requestHeaders: {a: b}}"),
    underlined: ["allowResponse"],
    good: rule("ALLOW", "allowResponse: {requestHeaders: {a: b}}"),
  },
  { ...own, code: "response/empty", bad: deny(""), underlined: ["denyResponse"], good: deny("body: ''") },
  {
    ...own,
    code: "response/empty",
    bad: rule("DENY", "denyResponse: "),
    underlined: ["denyResponse"],
    good: deny("headers: {a: b}"),
  },
  {
    ...own,
    code: "response/empty",
    bad: allow("requestHeaders: {}, responseHeaders: null"),
    underlined: ["allowResponse"],
    good: allow("dynamicMetadata: {a: ''}"),
  },
  ...[200, 204, 300, 304, 399, 418, 451, 512, 600, 0].map(
    (status): RuleCase => ({
      ...own,
      code: "response/status",
      bad: deny(`status: ${status}`),
      underlined: [`${status}`],
      good: deny("status: 429"),
    }),
  ),
  ...[301, 308].map(
    (status): RuleCase => ({
      ...own,
      code: "response/redirect",
      bad: deny(`status: ${status}, headers: {x-location: /login}`),
      underlined: [`${status}`],
      good: deny(`status: ${status}, headers: {Location: /login}`),
    }),
  ),
  ...[
    [":status", "is no part of the request line"],
    [":authority", "is no part of the request line"],
    ["a b", "of letters"],
    ["a:b", "of letters"],
    ["\u00e9", "of letters"],
    ["", "found empty text"],
    ["Host", "may set"],
    ["x-garita-decision", "may set"],
    ["X-Garita-Rule", "may set"],
    ["x-envoy-original-path", "may set"],
    ["Connection", "may set"],
    ["content-length", "may set"],
    ["transfer-encoding", "may set"],
    ["upgrade", "may set"],
  ].map(
    ([name, says]): RuleCase => ({
      ...own,
      code: "response/header-name",
      bad: deny(`headers: {'${name}': v}`),
      underlined: [`'${name}'`],
      good: deny('headers: {x-garit: v, WWW-Authenticate: v, "a!#$%&\'*+.^_`|~9": v}'),
      ...(says && { says }),
    }),
  ),
  {
    ...own,
    code: "response/header-name",
    bad: allow("requestHeaders: {Content-Type: text/plain}, responseHeaders: {content-type: text/plain, x-a: b}"),
    underlined: ["Content-Type", "content-type"],
    good: deny("headers: {content-type: text/html}"),
    says: "does not speak of the body",
  },
  {
    ...own,
    code: "response/header-name",
    bad: allow("responseHeaders: {x-garita-reason: x}, dynamicMetadata: {x-garita-reason: x}"),
    underlined: ["x-garita-reason"],
    good: allow("dynamicMetadata: {x-garita-reason: x, ':a b': c}"),
  },
  {
    ...own,
    code: "response/header-twice",
    bad: deny("headers: {a: b, X-a: c, x-A: d, x-a: e}"),
    underlined: ["x-A", "x-a"],
    good: allow("requestHeaders: {x-a: b}, responseHeaders: {X-A: c}, dynamicMetadata: {x-a: a, X-A: b}"),
    says: "`x-A` beside `X-a`",
  },
  {
    ...own,
    code: "response/header-value",
    bad: deny('headers: {a: \'\', b: null, c: "x\\r\\ny: z", d: \' x\', e: "x\\t", f: "\\x7f", g: "a\\ab"}'),
    underlined: ["''", "null", '"x\\r\\ny: z"', "' x'", '"x\\t"', '"\\x7f"', '"a\\ab"'],
    good: deny('headers: {a: "x\\ty", b: \u00e9, c: {cel: "\'\'"}}'),
  },
  {
    ...own,
    code: "response/metadata-key",
    bad: allow(
      'dynamicMetadata: {decision_id: a, outcome: a, rule: a, reason: a, digest: a, commit: a, "": a, "a\\tb": a}',
    ),
    underlined: ["decision_id", "outcome", "rule", "reason", "digest", "commit", '""', '"a\\tb"'],
    good: allow("dynamicMetadata: {decision: a, Rule: a, \u00e9: a}, requestHeaders: {rule: a, digest: a}"),
  },
  {
    ...own,
    code: "response/too-large",
    bad: allow(`responseHeaders: {${many(34, (i) => `x-${i}: a`)}}`),
    underlined: ["x-32"],
    good: allow(`responseHeaders: {${many(32, (i) => `x-${i}: a`)}}`),
    says: "found 34",
  },
  {
    ...own,
    code: "response/too-large",
    bad: deny(`headers: {${"x".repeat(257)}: a, b: ${"y".repeat(4_097)}}`),
    underlined: ["x".repeat(257), "y".repeat(4_097)],
    good: deny(`headers: {${"x".repeat(256)}: a, b: ${"y".repeat(4_096)}}`),
  },
  {
    ...own,
    code: "response/too-large",
    bad: deny(`body: ${"\u00e9".repeat(32_769)}`),
    underlined: ["\u00e9".repeat(32_769)],
    good: deny(`body: ${"\u00e9".repeat(32_768)}`),
    says: "at most 65536 bytes, found 65538",
  },
  {
    ...own,
    code: "lint/response-in-dry-run",
    annotations: dryRun,
    bad: deny("status: 401"),
    underlined: ["denyResponse"],
    good: deny("status: 401"),
    goodAnnotations: 'istio.io/dry-run: "false"',
  },
  {
    ...own,
    code: "lint/response-in-dry-run",
    annotations: dryRun,
    bad: allow("requestHeaders: {a: b}"),
    underlined: ["allowResponse"],
    good: rule("ALLOW", "cel: ['true']"),
  },
  {
    ...own,
    code: "lint/no-extension",
    bad: "rules: [{to: [{operation: {methods: [GET]}}]}]",
    underlined: ["garita.dev/v1alpha1"],
    good: "rules: [{}, {cel: ['true']}]",
  },
  {
    ...own,
    code: "lint/no-extension",
    bad: "action: ALLOW",
    underlined: ["garita.dev/v1alpha1"],
    good: "rules: [{}]",
    goodOwn: false,
  },
  // Istio's rules are ours too.
  {
    ...own,
    code: "policy/custom-source-field",
    bad: asks("from: [{source: {principals: [a]}}], cel: ['true']"),
    underlined: ["a"],
    good: asks("from: [{source: {ipBlocks: [10.0.0.1]}}], cel: ['true']"),
  },
  {
    ...own,
    code: "policy/deny-without-rules",
    bad: "action: DENY",
    underlined: ["DENY"],
    good: rule("DENY", "cel: ['true']"),
  },
  {
    ...own,
    code: "placement/label-wildcard",
    bad: "selector: {matchLabels: {a*: b}}",
    underlined: ["a*"],
    good: "selector: {matchLabels: {a: b}}",
  },
];
