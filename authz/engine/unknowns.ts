import type { FieldTest } from "#policy-compiler/ruleset/model";
import type { RequestAttributes } from "./attributes.ts";
import type { AskedRequest } from "./conditions/asked-request.ts";
import type { Explanation } from "./decision.ts";
import { UNSURE } from "./kleene.ts";
import { attributeName, remedyFor, remedyForNamed } from "./remedies.ts";
import type { RuleTable } from "./rule-table.ts";
import type { PreparedView } from "./view.ts";

/** The attributes that left a rule of the view unsure, each once, in the order in which rules and fields ask for them. */
export function unknownAttributes(table: RuleTable, view: PreparedView, asked: AskedRequest): Explanation["unknown"] {
  const { request } = asked;
  const remedies = new Map<string, string>();
  for (let id = 0; id < table.size; id++) {
    if (!view.hasRule(id) || table.test(id, asked) !== UNSURE) continue;
    for (const field of fieldsOf(table, id, request)) {
      if (table.compiler.field(field).test(request) !== UNSURE) continue;
      remedies.set(attributeName(field.attribute), remedyFor(field.attribute));
    }
    for (const { compiled } of table.conditions(id)) {
      const one = compiled.evaluate(asked.facts);
      if (one.value !== undefined || one.fault.code !== "condition/unknown-attribute") continue;
      const { attribute } = one.fault;
      remedies.set(attribute, remedyForNamed(attribute) ?? "nothing brings it");
    }
  }
  return [...remedies].map(([attribute, remedy]) => ({ attribute, remedy }));
}

function fieldsOf(table: RuleTable, id: number, request: RequestAttributes): readonly FieldTest[] {
  const rule = table.rule(id);
  const body = request.http === undefined ? rule.tcp : rule.http;
  return body === undefined ? [] : [...body.to.flat(), ...body.from.flat(), ...body.when];
}
