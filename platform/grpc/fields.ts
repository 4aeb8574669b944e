/** The value of the first field with this name (lower case); undefined: there is none. `fields`: names and values in turn, as they were sent. */
export function firstField(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

/** The values of all fields with this name, in their order. */
export function fieldValues(fields: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1]!);
  return values;
}
