import { refusal } from "#authz/check/refusal";
import { refuse, type Verdict } from "#authz/check/verdict";
import type { Engine } from "#authz/engine/contract";
import type { ExplainedCondition, RuleRef } from "#authz/engine/decision";
import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import { conditionLines } from "../report/conditions.ts";
import { type AskEnvironment, ask, type Walk } from "../request/ask.ts";
import { checkMessage } from "../request/check-message.ts";
import type { RequestDescription } from "../request/description.ts";
import { nearestOf } from "../request/explanation.ts";
import { localEnvironment } from "../request/local-environment.ts";
import { describeRefusal, isBesidePolicies } from "./describe-refusal.ts";
import type { Expectation, TestFile } from "./test-file.ts";

/** One caller with one request. */
export interface TestResult {
  readonly file: string;
  /** Line of the expectation; undefined when none lists the pair. */
  readonly line: number | undefined;
  readonly caller: string;
  readonly request: string;
  readonly outcome: "allow" | "deny";
  readonly reason: string;
  readonly rule: string;
  /** What differs from what was expected; empty: passed. */
  readonly faults: readonly string[];
}

/** Where a file of the rule set lies for the reader. */
type Place = (file: string) => string;

/**
 * Runs every pair of a file against rules, at the file's own time where it has one, else at that of the run. Pure but for its arguments; the same input gives
 * the same results.
 */
export async function runTestFile(
  file: TestFile,
  engine: Engine,
  startedMillis: number,
  place: Place,
): Promise<readonly TestResult[]> {
  const { nowMillis = startedMillis, providers } = file;
  const environment = await localEnvironment(engine, () => nowMillis, providers);
  const expected = new Map<string, Expectation>();
  for (const expectation of file.expectations) {
    for (const caller of expectation.callers) {
      for (const request of expectation.requests) expected.set(JSON.stringify([caller, request]), expectation);
    }
  }
  const results: TestResult[] = [];
  for (const caller of Object.keys(file.callers)) {
    for (const request of Object.keys(file.requests)) {
      const expectation = expected.get(JSON.stringify([caller, request]));
      results.push(await runPair({ file, caller, request }, expectation, environment, place));
    }
  }
  return results;
}

interface Pair {
  readonly file: TestFile;
  readonly caller: string;
  readonly request: string;
}

async function runPair(
  { file, caller, request }: Pair,
  expectation: Expectation | undefined,
  environment: AskEnvironment,
  place: Place,
): Promise<TestResult> {
  const described = describe(file, caller, request);
  const asked = await ask(checkMessage(described), environment);
  const pair = { file: file.path, line: expectation?.line, caller, request };
  const lines = file.lines.get(request)!;
  const verdict = asked.ok ? asked.verdict : refuse(true, refusal("request/unreadable", asked.fault));
  const { decision, custom } = verdict;
  const rule = decision.rule?.key ?? custom?.key ?? "none";
  if (isBesidePolicies(decision.reason) && expectation?.reason !== decision.reason) {
    // A denial for this would pass for that of a policy, whatever the policies say.
    const line = decision.reason === "request/unreadable" ? lines.request : lines.workload;
    const { ruleSet } = environment.snapshot.engine;
    const faults = [describeRefusal(verdict, described.workload, ruleSet, `${file.path}:${line}`)];
    return { ...pair, outcome: decision.outcome, reason: decision.reason, rule, faults };
  }
  const faults = differences(verdict, rule, expectation ?? { outcome: "deny" });
  if (faults.length > 0) faults.push(...because(verdict, asked.ok ? asked.explain() : undefined, place));
  return { ...pair, outcome: decision.outcome, reason: decision.reason, rule, faults };
}

function describe(file: TestFile, caller: string, name: string): RequestDescription {
  const { tcp, workload, ...request } = file.requests[name]!;
  const connection = tcp === true ? { tcp } : { request };
  return { workload: workload ?? file.workload, caller: file.callers[caller]!, ...connection };
}

function differences(verdict: Verdict, rule: string, expected: Partial<Expectation>): string[] {
  const { decision } = verdict;
  const found = {
    outcome: decision.outcome,
    rule,
    reason: decision.reason,
    status: verdict.isHttp ? verdict.status : 0,
    audit: decision.audit?.rule?.key ?? "none",
  };
  const faults = (Object.keys(found) as (keyof typeof found)[]).flatMap((field) =>
    expected[field] === undefined || expected[field] === found[field]
      ? []
      : [`${field}: expected \`${expected[field]}\`, found \`${found[field]}\``],
  );
  return [...faults, ...answerDifferences(verdict, expected)];
}

/** What the client gets beside the status, and what the upstream gets of headers. */
function answerDifferences(verdict: Verdict, { headers, requestHeaders, body }: Partial<Expectation>): string[] {
  const toClient = (name: string) =>
    verdict.clientHeaders.filter((header) => header.name === name).map(({ value }) => value);
  const toUpstream = (name: string) =>
    verdict.decision.outcome === "deny"
      ? []
      : (verdict.edited?.lines(name) ?? verdict.attributes?.http?.headers.get(name)?.lines ?? []);
  const found = fromByteString(verdict.body);
  return [
    ...headerDifferences("headers", headers, toClient),
    ...headerDifferences("requestHeaders", requestHeaders, toUpstream),
    ...(body === undefined || body === found ? [] : [`body: expected \`${body}\`, found \`${found}\``]),
  ];
}

function headerDifferences(
  field: string,
  expected: Readonly<Record<string, string>> = {},
  linesOf: (name: string) => readonly string[],
): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const lines = linesOf(name.toLowerCase()).map(fromByteString);
    if (lines.join(",") === value && lines.length > 0) return [];
    const found = lines.length === 0 ? "none" : `\`${lines.join(",")}\``;
    return [`${field} ${name}: expected \`${value}\`, found ${found}`];
  });
}

/** What helps to mend a failed test: the deciding rule, or the nearest one and the field that kept it from matching. */
function because(verdict: Verdict, walk: Walk | undefined, place: Place): string[] {
  const named = ({ key, origin }: RuleRef) => `${key} at ${place(origin.file)}:${origin.line}`;
  const { rule, reason, conditionFaults } = verdict.decision;
  const unvalued = conditionFaults.map(({ rule: by, code }) => `without a value: ${named(by)}: ${code}`);
  const at = verdict.origin === undefined ? "" : ` (${place(verdict.origin.file)}:${verdict.origin.line})`;
  const said = [verdict.detail === undefined ? reason : `${reason}: ${verdict.detail}${at}`];
  if (rule !== undefined) {
    const refused = verdict.detail === undefined ? [] : said;
    return [`decided by ${named(rule)}`, ...refused, ...conditionsOf(walk?.conditions ?? [], place), ...unvalued];
  }
  const [nearest] = nearestOf(reason, walk);
  if (nearest === undefined) return said;
  const fields = nearest.failed.map(
    ({ side, field, wanted, seen }) => `\`${side}\` ${field}: wanted ${wanted.join(", ")}, found ${seen ?? "nothing"}`,
  );
  const conditions = conditionsOf(
    nearest.conditions.filter(({ result }) => result !== "true"),
    place,
  );
  return [...said, `nearest: ${named(nearest.rule)}`, ...fields, ...conditions, ...unvalued];
}

function conditionsOf(conditions: readonly ExplainedCondition[], place: Place): readonly string[] {
  return conditions.flatMap(({ origin, ...rest }) =>
    conditionLines({ ...rest, origin: { ...origin, file: place(origin.file) } }),
  );
}
