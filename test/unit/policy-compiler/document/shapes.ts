import type { AuthorizationPolicy, FieldValues } from "#policy-compiler/document/model";

type Fields = Readonly<Record<string, readonly string[]>>;

/** A policy without places: what was read, empty parts left out; `none` for an item without a source or operation. */
export interface Shape {
  readonly action: string;
  readonly rules: readonly {
    readonly from?: readonly (Fields | "none")[];
    readonly to?: readonly (Fields | "none")[];
    readonly when?: readonly {
      readonly key?: string;
      readonly values?: readonly string[];
      readonly notValues?: readonly string[];
    }[];
  }[];
}

export function shapeOf(policy: AuthorizationPolicy): Shape {
  return {
    action: policy.action.value,
    rules: policy.rules.map(({ from, to, when }) => ({
      ...(from.length > 0 && { from: from.map(({ source }) => (source ? fieldsOf(source.fields) : "none")) }),
      ...(to.length > 0 && { to: to.map(({ operation }) => (operation ? fieldsOf(operation.fields) : "none")) }),
      ...(when.length > 0 && {
        when: when.map(({ key, values, notValues }) => ({
          ...(key && { key: key.value }),
          ...fieldsOf({ values: { values, notValues } }),
        })),
      }),
    })),
  };
}

function fieldsOf(fields: Readonly<Record<string, FieldValues | undefined>>): Fields {
  const found: Record<string, readonly string[]> = {};
  for (const [name, entry] of Object.entries(fields)) {
    const { values = [], notValues = [] } = entry ?? {};
    if (values.length > 0) found[name] = values.map(({ value }) => value);
    if (notValues.length > 0)
      found[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`] = notValues.map(({ value }) => value);
  }
  return found;
}
