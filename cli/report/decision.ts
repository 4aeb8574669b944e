import type { FailedField, RuleRef } from "#authz/engine/decision";
import { printable } from "#policy-compiler/source/render";
import type { ExplainedDecision } from "../request/explanation.ts";
import type { MatchedField } from "../request/matched-fields.ts";
import { conditionLines } from "./conditions.ts";

/** One line: outcome, status, reason, rule. */
function renderDecision({ outcome, status, reason, rule, origin, detail }: ExplainedDecision): string {
  const parts = [
    outcome,
    status === 0 ? "" : String(status),
    reason,
    rule === undefined ? "" : ruleText(rule),
    detail ?? "",
    origin === undefined ? "" : `(${origin.file}:${origin.line})`,
  ];
  return `${printable(parts.filter((part) => part !== "").join("  "))}\n`;
}

/** The decision, then the conditions of the rule that decided, or those of the rules that came nearest. */
export function renderWithConditions(explained: ExplainedDecision): string {
  const lines = [renderDecision(explained).trimEnd(), ...conditionsOf(explained)];
  for (const { rule, conditions } of explained.nearest) {
    if (conditions.length === 0) continue;
    lines.push("", `near: ${ruleText(rule)}`, ...conditions.flatMap(conditionLines).map((line) => `  ${line}`));
  }
  return `${lines.map((line) => printable(line)).join("\n")}\n`;
}

function conditionsOf({ conditions, conditionFaults }: ExplainedDecision): readonly string[] {
  const lines: string[] = [];
  if (conditions.length > 0) lines.push("", "its conditions:");
  for (const line of conditions.flatMap(conditionLines)) lines.push(`  ${line}`);
  if (conditionFaults.length > 0) lines.push("", "conditions without a value:");
  for (const { rule, code } of conditionFaults) lines.push(`  ${ruleText(rule)}: ${code}`);
  return lines;
}

/** The decision, then why: policies that apply, the nearest rules, what was unknown, dry-run and audit results. */
export function renderExplanation(explained: ExplainedDecision): string {
  const {
    applied,
    authentications,
    rule: deciding,
    matched,
    conditions,
    nearest,
    unknown,
    audit,
    dryRun,
    workload,
    commit,
  } = explained;
  const lines = [renderDecision(explained).trimEnd()];
  if (commit !== undefined) lines.push("", `by the policies of ${commit}`);
  if (workload !== undefined) lines.push("", `workload: ${workloadText(workload)}`);
  if (applied.length === 0) lines.push("", "no AuthorizationPolicy applies to the workload");
  if (applied.length + authentications.length > 0) lines.push("", "policies that apply:");
  for (const { namespace, name, origin } of authentications) {
    lines.push(`  ${"tokens".padEnd(11)} ${namespace}/${name}  ${origin.file}:${origin.line}`);
  }
  for (const { family, stage, namespace, name, origin } of applied) {
    const whose = family === undefined ? "" : `${family}-`;
    lines.push(`  ${stage.padEnd(11)} ${whose}${namespace}/${name}  ${origin.file}:${origin.line}`);
  }
  if (deciding !== undefined) {
    const any = matched.length === 0 ? "the rule that decided has no fields" : "why the rule matched:";
    lines.push("", matched.length + conditions.length === 0 ? "the rule that decided matches everything" : any);
  }
  for (const field of matched) lines.push(`  ${fieldText(field)}`);
  lines.push(...conditionsOf(explained));
  if (nearest.length > 0) lines.push("", "rules that came nearest:");
  for (const { rule, satisfied, total, failed, conditions: its } of nearest) {
    lines.push(`  ${ruleText(rule)}  (${satisfied} of ${total} fields hold)`);
    for (const field of failed) lines.push(`    ${fieldText(field)}`);
    for (const line of its.flatMap(conditionLines)) lines.push(`    ${line}`);
  }
  if (unknown.length > 0) lines.push("", "unknown, and it mattered:");
  for (const { attribute, remedy } of unknown) lines.push(`  ${attribute}: ${remedy}`);
  if (audit !== undefined)
    lines.push("", `audit: ${audit.rule === undefined ? "no rule matched" : ruleText(audit.rule)}`);
  for (const action of ["deny", "allow"] as const) {
    const result = dryRun[action];
    if (result === undefined) continue;
    lines.push(
      "",
      `dry run, ${action}: ${result.result}${result.rule === undefined ? "" : ` by ${ruleText(result.rule)}`}`,
    );
  }
  return `${lines.map((line) => printable(line)).join("\n")}\n`;
}

function fieldText({ side, field, wanted, seen, result }: FailedField | MatchedField): string {
  const found = result === "unknown" ? "unknown" : seen === undefined ? "absent" : `\`${seen}\``;
  return `${side}: ${field} wanted ${wanted.map((text) => `\`${text}\``).join(" or ")}, found ${found}`;
}

function ruleText({ key, origin }: RuleRef): string {
  return `${key} (${origin.file}:${origin.line})`;
}

function workloadText(workload: Readonly<Record<string, unknown>>): string {
  const { namespace, name, kind, labels } = workload as {
    namespace: string;
    name?: string;
    kind: string;
    labels: object;
  };
  const said = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return `${namespace}/${name ?? "(described by labels)"}, ${kind}${said.length === 0 ? "" : `, ${said.join(" ")}`}`;
}
