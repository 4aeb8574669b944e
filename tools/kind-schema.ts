/** The part of JSON Schema (draft-07) that is used here; `description` is what editors show, and what the page of fields says. */
export interface PolicySchema {
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** An object with these members and no others. */
export function object(
  description: string,
  properties: Readonly<Record<string, PolicySchema>>,
  more: Readonly<Record<string, unknown>> = {},
): PolicySchema {
  return { type: "object", description, properties, additionalProperties: false, ...more };
}

/** A schema file for one kind of our own, whose `spec` is as given. */
export function renderKindSchema(of: {
  readonly kind: string;
  readonly description: string;
  readonly spec: PolicySchema;
  readonly specRequired: boolean;
}): string {
  const { kind, description, spec, specRequired } = of;
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `garita.dev/v1alpha1 ${kind}`,
    ...object(
      description,
      {
        apiVersion: { const: "garita.dev/v1alpha1" },
        kind: { const: kind },
        metadata: {
          type: "object",
          description: "Kubernetes' ObjectMeta.",
          properties: { name: { type: "string" }, namespace: { type: "string" } },
          required: ["name"],
        },
        spec,
        status: { description: "Kubernetes' own; not read." },
      },
      { required: ["apiVersion", "kind", "metadata", ...(specRequired ? ["spec"] : [])] },
    ),
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
