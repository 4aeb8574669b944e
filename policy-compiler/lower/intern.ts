import type { FieldTest, ValueTest } from "#policy-compiler/ruleset/model";

/** Gives equal tests one object, so that they are built once when a rule set is made ready. */
export interface Interner {
  value(test: ValueTest): ValueTest;
  field(test: FieldTest): FieldTest;
}

export function createInterner(): Interner {
  const values = new Map<string, ValueTest>();
  const fields = new Map<string, FieldTest>();
  return {
    value: (test) => remembered(values, test),
    field: (test) => remembered(fields, test),
  };
}

/** Equal tests have equal JSON because every maker of one kind of test writes its members in one order. */
function remembered<T>(known: Map<string, T>, test: T): T {
  const key = JSON.stringify(test);
  const first = known.get(key);
  if (first !== undefined) return first;
  known.set(key, test);
  return test;
}
