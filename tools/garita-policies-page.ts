import { ownMetadataKeys, responseLimits } from "#policy-compiler/ruleset/response-limits";
import type { PolicySchema } from "./kind-schema.ts";
import { extensionSchemas } from "./policy-schema.ts";

const keys = ownMetadataKeys.map((key) => `\`${key}\``).join(", ");
const count = (number: number) => number.toLocaleString("en-US");

const intro = `# Policies with conditions and answers

\`garita.dev/v1alpha1\` \`AuthorizationPolicy\` is Istio's AuthorizationPolicy, field by field and in its meaning, with three fields more in a rule: conditions in
CEL, what a denied request is answered, and what an allowed one is given. Policies of both kinds stand in the same folders and are decided together.
Without a document of this kind nothing is different from Istio. This page is generated from the schema for editors,
[garita-authorization-policy.schema.json](garita-authorization-policy.schema.json).

\`\`\`yaml
# yaml-language-server: $schema=garita-authorization-policy.schema.json
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: own-tenant, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to:
        - operation: { paths: ["/tenants/{*}/{**}"] }
      cel:
        - request.pathSegments[1] == claims.tenant
        - |
          request.method == "GET" ||
            "writer" in claims.roles
      allowResponse:
        requestHeaders:
          x-tenant: { cel: string(claims.tenant) }
\`\`\`

What expressions can say stands in [conditions.md](conditions.md); [examples/conditions](../examples/conditions) holds policies with their tests.

## Fields of a rule, beside Istio's

| Field | Type | Meaning |
|---|---|---|
`;

const rest = `
A value is text as it stands, or \`{ cel: EXPRESSION }\` with an expression that comes to text (\`string(…)\` around a claim).

## What they mean

- **Order.** All that holds for Istio's kind holds here: where a policy applies, the order CUSTOM, AUDIT, DENY, ALLOW, dry-run, trust domains. A workload with an
  ALLOW policy of either kind denies what none of them allows.
- **Keys.** Rules are told as \`garita-ns[NAMESPACE]-policy[NAME]-rule[i]\`. Of several rules that match, the first by key is told, as in
  Istio, and ours come before Istio's. Answers are those of the rule that is told, and of no other.
- **Conditions come last.** A rule is found by its other fields; \`cel\` is evaluated where those hold. Where the other fields can say
  it, let them: they are indexed, and Istio's tools understand them.
- **What cannot be evaluated** (an error in the expression, or an attribute that the request did not bring) makes the rule unknown: ALLOW does not match, DENY, AUDIT and CUSTOM do.
- **TCP.** Conditions count on connections too. What they ask of a request is unknown there: a DENY rule with such a condition denies every connection that its other
  fields take, so give it \`ports\` (\`garita check\` warns).
- **CUSTOM** comes before tokens are looked at: its conditions cannot read \`claims\` and \`tokens\`, and it is the provider that answers.
- **Dry-run** policies answer nothing: their responses are ignored as long as the annotation stands.

## Headers and metadata

- Names are compared without case. \`host\`, names that begin with \`:\`, \`x-garita-\` or \`x-envoy-\`, and those of the connection and of framing (\`connection\`,
  \`content-length\`, \`content-encoding\`, \`transfer-encoding\`, \`keep-alive\`, \`te\`, \`trailer\`, \`upgrade\`, \`proxy-connection\`) are refused. \`content-type\` can be set in
  \`denyResponse\` alone.
- Values are one line without blanks at their ends; text that is written out is not empty, an expression may come to none.
- Keys that every decision has already are refused in \`dynamicMetadata\`: ${keys}.
- At most ${responseLimits.fields} headers or keys of a kind, names of ${count(responseLimits.nameBytes)} bytes, values of ${count(responseLimits.valueBytes)} bytes.

## What becomes of an answer

- A value that cannot be worked out (the expression fails, the request did not bring what it reads, the text is too long or no header can hold it): **a denial** stays one, with
  its status, and goes without that header, or with an empty body. A request that is **allowed** is refused instead (\`answer/no-value\`): the
  upstream would get the client's header in place of the rule's, or none. The log names the rule and the [code](faults.md#conditions-without-a-value).
- A header of \`requestHeaders\` replaces every line that the client sent under its name, also where it looks the same.
- A gRPC client gets the body of a denial as \`grpc-message\`; a \`content-type\` is left out there. Connections (TCP) get no answers.
- **Envoy's HTTP service** carries less: \`requestHeaders\` need \`upstreamHeaders\` on the listener and \`allowed_upstream_headers\` in Envoy; \`responseHeaders\` and
  \`dynamicMetadata\` cannot be told. A request that would need them is refused (\`answer/not-carried\`).

## Expressions in YAML

An expression is best written as a block (\`|\` keeps lines, \`>\` joins them, so that a comment of CEL, \`// …\`, would take the next
line too, and is an error) or in quotes. Without either, YAML takes \`: \` for a key and \` #\` for a comment, and in a list of brackets a comma ends the item. A fault is told with the line and column of the part that is wrong, however the expression is written:

\`\`\`console
$ garita check policies
policies/shop/tenant.yaml:12:11: error[condition/not-allowed]: \`request\` has no member \`pth\`
   |
12 |           request.pth == "/a" ||
   |           ^^^^^^^^^^^
   = help: it has method, scheme, host, path, pathSegments, target, query, headers, headerLines, size, protocol, time
\`\`\`

\`garita check\` tells the costliest expression behind its summary, \`garita check --costs\` every one. The cost is an upper bound of the work of one evaluation, whatever a client
sends; an expression above the bound is refused (\`condition/too-complex\`). What can be wrong stands in
[diagnostics.md](diagnostics.md#conditions-in-cel).

Our fields in a document of \`security.istio.io\` are an error, with \`--istio-lax\` too: Istio would drop them, and the rule would match more.
`;

/** `docs/garita-policies.md`: the reference of our own kind. */
export function renderGaritaPolicies(): string {
  return `${intro}${rows(extensionSchemas, "").join("\n")}\n${rest}`;
}

function rows(schemas: Readonly<Record<string, PolicySchema>>, path: string): readonly string[] {
  return Object.entries(schemas).flatMap(([name, schema]) => {
    const key = `${path}${name}`;
    const inner = (schema["properties"] ?? {}) as Readonly<Record<string, PolicySchema>>;
    return [`| \`${key}\` | ${typeOf(schema)} | ${schema.description} |`, ...rows(inner, `${key}.`)];
  });
}

function typeOf(schema: PolicySchema): string {
  if (schema["type"] === "array") return "list of texts";
  if (schema["oneOf"] !== undefined) return "value";
  if (schema["type"] === "object") return schema["properties"] === undefined ? "values by name" : "object";
  return String(schema["type"]);
}
