import type { OperationField, SourceField } from "#policy-compiler/document/model";

/** The name of a field's negation, as authors write it: `notPaths` for `paths`. */
export function twinOf(field: SourceField | OperationField): string {
  return `not${field.slice(0, 1).toUpperCase()}${field.slice(1)}`;
}
