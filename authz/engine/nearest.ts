import type { Entry, FieldTest, RuleBody } from "#policy-compiler/ruleset/model";
import type { RequestAttributes } from "./attributes.ts";
import type { AskedRequest } from "./conditions/asked-request.ts";
import { explainConditions } from "./conditions/explain-conditions.ts";
import type { FailedField, NearRule } from "./decision.ts";
import { and, TRUE, type Truth } from "./kleene.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import { seenValue } from "./seen.ts";
import type { PreparedView } from "./view.ts";

const MOST = 5;

/** The ALLOW rules that came nearest to a request that none of them allowed: fewest failed fields first, then most that held. */
export function nearestRules(table: RuleTable, view: PreparedView, asked: AskedRequest): readonly NearRule[] {
  const { request } = asked;
  const near: NearRule[] = [];
  for (let id = 0; id < table.size; id++) {
    if (!view.hasRule(id) || table.stages[id] !== stageNumber.allow) continue;
    const rule = table.rule(id);
    const body = request.http === undefined ? rule.tcp : rule.http;
    if (body !== undefined) near.push(measure(table, id, body, asked));
  }
  return near
    .sort(nearer)
    .slice(0, MOST)
    .map((one) => ({ ...one, conditions: explainConditions(table, one.rule.id, asked) }));
}

function nearer(a: NearRule, b: NearRule): number {
  return a.total - a.satisfied - (b.total - b.satisfied) || b.satisfied - a.satisfied || a.rule.id - b.rule.id;
}

/** Of the entries of a side the one that came nearest speaks for it. */
function measure(table: RuleTable, id: number, body: RuleBody, asked: AskedRequest): NearRule {
  const { request } = asked;
  const parts = [
    nearestEntry(table, "to", body.to, request),
    nearestEntry(table, "from", body.from, request),
    failures(table, "when", body.when, request),
    conditions(table, id, asked),
  ];
  const failed = parts.flatMap((part) => part.failed);
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  return {
    rule: table.ref(id),
    stage: "allow",
    satisfied: total - parts.reduce((n, part) => n + part.misses, 0),
    total,
    failed,
    conditions: [],
  };
}

function conditions(table: RuleTable, id: number, asked: AskedRequest): Part {
  const all = table.conditions(id);
  const misses = all.filter(({ compiled }) => compiled.evaluate(asked.facts).value !== true).length;
  return { total: all.length, misses, failed: [] };
}

interface Part {
  readonly total: number;
  /** Fields that did not hold: one may have failed in both of its halves. */
  readonly misses: number;
  readonly failed: readonly FailedField[];
}

function nearestEntry(
  table: RuleTable,
  side: "to" | "from",
  entries: readonly Entry[],
  request: RequestAttributes,
): Part {
  let best: Part | undefined;
  for (const entry of entries) {
    const part = failures(table, side, entry, request);
    if (best === undefined || part.misses < best.misses || (part.misses === best.misses && part.total > best.total)) {
      best = part;
    }
  }
  return best ?? { total: 0, misses: 0, failed: [] };
}

function failures(
  table: RuleTable,
  side: FailedField["side"],
  fields: readonly FieldTest[],
  request: RequestAttributes,
): Part {
  const failed: FailedField[] = [];
  let misses = 0;
  for (const field of fields) {
    const { values, notValues } = table.compiler.field(field);
    const halves: readonly [name: string, wanted: readonly string[], result: Truth][] = [
      [field.field, field.texts, values?.(request) ?? TRUE],
      [negated(side, field.field), field.notTexts, notValues?.(request) ?? TRUE],
    ];
    if (halves.map(([, , result]) => result).reduce(and) === TRUE) continue;
    misses++;
    for (const [name, wanted, result] of halves) {
      if (result === TRUE) continue;
      const seen = seenValue(field.attribute, request);
      failed.push({ side, field: name, wanted, seen, result: result === 0 ? "false" : "unknown" });
    }
  }
  return { total: fields.length, misses, failed };
}

/** The name of a field's other list: `paths` becomes `notPaths`; a condition has one key, and two lists. */
export function negated(side: FailedField["side"], field: string): string {
  return side === "when" ? `${field} notValues` : `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}
