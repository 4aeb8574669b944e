/** The part of JSON Schema that is used here. */
export interface ConfigSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description: string;
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly additionalProperties?: false | ConfigSchema;
  readonly required?: readonly string[];
  readonly items?: ConfigSchema;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean;
  readonly examples?: readonly unknown[];
}

/** An object with these keys and no other. */
export function object(
  description: string,
  properties: Readonly<Record<string, ConfigSchema>>,
  more: Pick<ConfigSchema, "required" | "minProperties" | "maxProperties"> = {},
): ConfigSchema {
  return { type: "object", description, properties, additionalProperties: false, ...more };
}

/** Text, never empty. */
export function text(description: string, more: Partial<ConfigSchema> = {}): ConfigSchema {
  return { type: "string", description, minLength: 1, ...more };
}

/** A flag that is off where nothing is said. */
export function flag(description: string): ConfigSchema {
  return { type: "boolean", description, default: false };
}

/** A whole number of a range, both ends included; `value`: its default. */
export function integer(description: string, minimum: number, maximum: number, value?: number): ConfigSchema {
  return { type: "integer", description, minimum, maximum, ...(value === undefined ? {} : { default: value }) };
}
