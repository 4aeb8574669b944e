/** The name of a list field's negation, as authors write it: `notPaths` for `paths`. */
export function twinOf(field: string): string {
  return `not${field.slice(0, 1).toUpperCase()}${field.slice(1)}`;
}
