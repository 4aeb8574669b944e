import { twinOf } from "#policy-compiler/document/field-names";
import { operationFields, sourceFields } from "#policy-compiler/lower/field-table";
import { envoyStatusCodes } from "#policy-compiler/ruleset/providers/status-codes";
import { isDenialStatus, responseLimits } from "#policy-compiler/ruleset/response-limits";
import { mostConditions } from "#policy-compiler/validate/extension-rules";
import { object, type PolicySchema, renderKindSchema } from "./kind-schema.ts";

const texts = (description: string): PolicySchema => ({ type: "array", description, items: { type: "string" } });

function values(description: string, names: readonly string[]): PolicySchema {
  const lists = names.flatMap((name) => [
    [name, texts(`Any of these; see Istio's reference.`)] as const,
    [twinOf(name), texts(`None of these.`)] as const,
  ]);
  return object(description, Object.fromEntries(lists));
}

const expression = (description: string): PolicySchema => ({ type: "string", description, minLength: 1 });

function value(description: string): PolicySchema {
  return {
    description,
    oneOf: [
      { type: "string" },
      object("A value that is computed.", { cel: expression("CEL that comes to text.") }, { required: ["cel"] }),
    ],
  };
}

function fields(description: string): PolicySchema {
  return {
    type: "object",
    description,
    maxProperties: responseLimits.fields,
    additionalProperties: value("Text, or `{cel: …}`."),
  };
}

const number = (count: number) => count.toLocaleString("en-US");

/** What a rule of our own group has beside Istio's fields. */
export const extensionSchemas: Readonly<Record<string, PolicySchema>> = {
  cel: {
    type: "array",
    description: `Expressions of [CEL](conditions.md), 1 to ${mostConditions}. All must be true, beside \`from\`, \`to\` and \`when\`. Under CUSTOM they cannot read claims.`,
    items: expression("CEL that comes to a boolean."),
    minItems: 1,
    maxItems: mostConditions,
  },
  denyResponse: object(
    "Under DENY alone: what a request is answered that this rule denies. Needs one of the three.",
    {
      status: {
        type: "integer",
        description:
          "Status: 400 to 511 as Envoy knows them, or 301, 302, 303, 307, 308, which need a `location`. Default: 403.",
        enum: [...envoyStatusCodes].filter(isDenialStatus),
      },
      headers: fields("Headers of the answer by name."),
      body: value(
        `Body of the answer, at most ${number(responseLimits.bodyBytes)} bytes. Default: Istio's \`RBAC: access denied\`.`,
      ),
    },
    { minProperties: 1 },
  ),
  allowResponse: object(
    "Under ALLOW alone: what is added to a request that this rule allows, and to its answer. Needs one of the three.",
    {
      requestHeaders: fields("Headers that the upstream sees; each replaces what the client sent under its name."),
      responseHeaders: fields("Headers of the client's answer, each in the place of the upstream's of that name."),
      dynamicMetadata: fields(
        "Members of Envoy's dynamic metadata under `envoy.filters.http.ext_authz`, for its access log and later filters.",
      ),
    },
    { minProperties: 1 },
  ),
};

const rule = object("One way to match.", {
  from: {
    type: "array",
    description: "Sources, any of which is enough; none: any.",
    items: object("A source.", { source: values("All of its fields must hold.", Object.keys(sourceFields)) }),
  },
  to: {
    type: "array",
    description: "Operations, any of which is enough; none: any.",
    items: object("An operation.", {
      operation: values("All of its fields must hold.", Object.keys(operationFields)),
    }),
  },
  when: {
    type: "array",
    description: "Istio's conditions, all of which must hold.",
    items: object(
      "A condition.",
      {
        key: { type: "string", description: "Attribute of Istio, such as `request.headers[x-tenant]`." },
        values: texts("Any of these."),
        notValues: texts("None of these."),
      },
      { required: ["key"] },
    ),
  },
  ...extensionSchemas,
});

const action = { type: "string", enum: ["ALLOW", "DENY", "AUDIT", "CUSTOM"], description: "Default: ALLOW." };

/** A policy whose action is not the one may not have the field in its rules. */
const without = (field: string) => ({ properties: { rules: { items: { properties: { [field]: false } } } } });

const spec: PolicySchema = object(
  "Istio's spec, with more in its rules.",
  {
    selector: object("Workloads by label.", {
      matchLabels: { type: "object", description: "Labels.", additionalProperties: { type: "string" } },
    }),
    targetRefs: {
      type: "array",
      description: "Workloads by reference.",
      items: object("A reference.", {
        group: { type: "string" },
        kind: { type: "string" },
        name: { type: "string" },
        namespace: { type: "string" },
      }),
    },
    action,
    provider: object("The extension provider of CUSTOM.", { name: { type: "string", description: "Its name." } }),
    rules: { type: "array", description: "Rules, any of which is enough.", items: rule },
  },
  {
    allOf: [
      {
        if: { properties: { action: { const: "DENY" } }, required: ["action"] },
        // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
        then: without("allowResponse"),
        else: without("denyResponse"),
      },
      {
        if: { properties: { action: { enum: ["AUDIT", "CUSTOM"] } }, required: ["action"] },
        // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
        then: without("allowResponse"),
      },
    ],
  },
);

/** `docs/garita-authorization-policy.schema.json`: completion and first checks in editors. What a policy means is checked by `garita check`. */
export function renderPolicySchema(): string {
  const description = "Istio's AuthorizationPolicy with conditions in CEL and answers.";
  return renderKindSchema({ kind: "AuthorizationPolicy", description, spec, specRequired: false });
}
