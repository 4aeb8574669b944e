import { type DecisionReason, decisionReasons } from "#authz/engine/decision";
import { suggest } from "#policy-compiler/document/suggest";
import { parseTimestamp } from "#policy-compiler/ruleset/timestamp";
import { checkShape } from "../config/check-shape.ts";
import type { LocatedYaml, Path } from "../config/located-yaml.ts";
import { readYamlFully } from "../config/read-yaml-fully.ts";
import { type ConfigSchema, object, text } from "../config/schema-parts.ts";
import type {
  CallerDescription,
  DescribedAnswer,
  HttpDescription,
  WorkloadDescription,
} from "../request/description.ts";
import { callerSchema, httpProperties, providersSchema, workloadSchema } from "../request/schema.ts";

/** A `*_test.yaml`: every caller with every request. What no expectation lists must be denied. */
export interface TestFile {
  readonly path: string;
  readonly workload: WorkloadDescription;
  /** The clock of its checks, Unix milliseconds; undefined: that of the run. */
  readonly nowMillis: number | undefined;
  /** What extension providers answer, by name. */
  readonly providers: Readonly<Record<string, DescribedAnswer>>;
  readonly callers: Readonly<Record<string, CallerDescription>>;
  readonly requests: Readonly<Record<string, TestRequest>>;
  readonly expectations: readonly Expectation[];
  /** By request: the line that describes it, and the line that describes its workload. */
  readonly lines: ReadonlyMap<string, { readonly request: number; readonly workload: number }>;
}

export interface TestRequest extends HttpDescription {
  readonly tcp?: boolean;
  /** Instead of the file's workload. */
  readonly workload?: WorkloadDescription;
}

export interface Expectation {
  readonly callers: readonly string[];
  readonly requests: readonly string[];
  readonly outcome: "allow" | "deny";
  /** Key of the deciding rule, or `none`: no rule decided. */
  readonly rule?: string;
  readonly reason?: DecisionReason;
  readonly status?: number;
  /** Headers that the client gets with a denial, or that are added to the upstream's answer, and their values. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers of the request as the upstream gets it. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** Of a denial. */
  readonly body?: string;
  /** Key of the AUDIT rule that must have matched, or `none`. */
  readonly audit?: string;
  readonly line: number;
}

export interface TestFileFault {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly help?: string;
}

const names = (description: string) => ({ type: "array", description, items: text("A name."), minItems: 1 }) as const;

const headerValues = (description: string): ConfigSchema => ({
  type: "object",
  description: `${description} Others are not looked at.`,
  additionalProperties: text("Its value; several lines are joined by commas."),
});

/** The schema of a test file. */
export const testFileSchema = object(
  "Policy tests: callers x requests, and what must come of them.",
  {
    workload: workloadSchema,
    now: text(
      "RFC 3339: the clock of every test in this file, which stands still. Without it they run at the time of the run.",
      {
        pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$",
      },
    ),
    providers: providersSchema,
    callers: { type: "object", description: "Callers by name; `{}` is anybody.", additionalProperties: callerSchema },
    requests: {
      type: "object",
      description: "Requests by name.",
      additionalProperties: object("One request.", {
        ...httpProperties,
        tcp: { type: "boolean", description: "A connection instead of a request.", default: false },
        workload: workloadSchema,
      }),
    },
    expect: {
      type: "array",
      description:
        "What must come of a caller's request. A pair that no item lists must be denied; one that two list is an error.",
      items: object(
        "Callers x requests with one outcome.",
        {
          callers: names("Names of callers."),
          requests: names("Names of requests."),
          outcome: text("What must be decided.", { enum: ["allow", "deny"] }),
          rule: text("Key of the deciding rule, or `none`."),
          reason: text("[Reason](faults.md#reasons-of-decisions) of the decision, as in the log."),
          status: { type: "integer", description: "HTTP status.", minimum: 0, maximum: 999 },
          headers: headerValues(
            "Headers that the client gets with a denial, or that are added to the upstream's answer.",
          ),
          requestHeaders: headerValues("Headers of an allowed request as the upstream gets it."),
          body: text("Body of a denial."),
          audit: text("Key of the AUDIT rule that matched, or `none`."),
        },
        { required: ["callers", "requests", "outcome"] },
      ),
    },
  },
  { required: ["callers", "requests", "expect"] },
);

interface Raw extends Omit<TestFile, "path" | "expectations" | "workload" | "nowMillis" | "providers" | "lines"> {
  readonly providers?: TestFile["providers"];
  readonly workload?: WorkloadDescription;
  readonly now?: string;
  readonly expect: readonly Omit<Expectation, "line">[];
}

/** Reads a test file. Faults carry their places; a file with one is not run. */
export function readTestFile(
  path: string,
  content: string,
): { readonly file: TestFile | undefined; readonly faults: readonly TestFileFault[] } {
  const { yaml, faults: syntax } = readYamlFully(content);
  if (yaml === undefined) return { file: undefined, faults: syntax.map((fault) => ({ path, ...fault })) };
  const shape = checkShape(yaml.value ?? {}, testFileSchema).map((fault): TestFileFault => {
    const place = fault.at === "key" ? yaml.placeOfKey(fault.path) : yaml.placeOf(fault.path);
    return { path, ...place, message: fault.message, ...(fault.help === undefined ? {} : { help: fault.help }) };
  });
  if (shape.length > 0) return { file: undefined, faults: shape };
  const raw = yaml.value as Raw;
  const faults = [...checkNow(path, raw, yaml), ...checkNames(path, raw, yaml), ...checkReasons(path, raw, yaml)];
  if (faults.length > 0) return { file: undefined, faults };
  const expectations = raw.expect.map((each, i) => ({ ...each, line: yaml.placeOf(["expect", i]).line }));
  const { callers, requests, workload = {}, providers = {}, now } = raw;
  const nowMillis = now === undefined ? undefined : parseTimestamp(now);
  return {
    file: { path, workload, nowMillis, providers, callers, requests, expectations, lines: linesOf(raw, yaml) },
    faults,
  };
}

function linesOf({ workload, requests }: Raw, yaml: LocatedYaml): TestFile["lines"] {
  return new Map(
    Object.entries(requests).map(([name, request]) => {
      const { line } = yaml.placeOfKey(["requests", name]);
      if (request.workload !== undefined) {
        return [name, { request: line, workload: yaml.placeOf(["requests", name, "workload"]).line }];
      }
      return [name, { request: line, workload: workload === undefined ? line : yaml.placeOf(["workload"]).line }];
    }),
  );
}

/** What looks like a time and is none: a thirteenth month. */
function checkNow(path: string, { now }: Raw, yaml: LocatedYaml): TestFileFault[] {
  if (now === undefined || parseTimestamp(now) !== undefined) return [];
  return [{ path, ...yaml.placeOf(["now"]), message: `expected a time, found \`${now}\`` }];
}

/** A reason that no decision has would never be found. */
function checkReasons(path: string, { expect }: Raw, yaml: LocatedYaml): TestFileFault[] {
  return expect.flatMap(({ reason }, i) => {
    if (reason === undefined || Object.hasOwn(decisionReasons, reason)) return [];
    const meant = suggest(reason, Object.keys(decisionReasons));
    const help = meant === undefined ? "docs/faults.md lists them" : `did you mean \`${meant}\`?`;
    const message = `expected the reason of a decision, found \`${reason}\``;
    return [{ path, ...yaml.placeOf(["expect", i, "reason"]), message, help }];
  });
}

/** Names that nothing defines, and pairs that are expected twice. */
function checkNames(path: string, raw: Raw, yaml: LocatedYaml): TestFileFault[] {
  const faults: TestFileFault[] = [];
  const report = (where: Path, message: string) => faults.push({ path, ...yaml.placeOf(where), message });
  const seen = new Set<string>();
  raw.expect.forEach((expectation, i) => {
    for (const list of ["callers", "requests"] as const) {
      expectation[list].forEach((name, j) => {
        if (!Object.hasOwn(raw[list], name)) report(["expect", i, list, j], `\`${name}\` is not among the ${list}`);
      });
    }
    for (const caller of expectation.callers) {
      for (const request of expectation.requests) {
        const pair = JSON.stringify([caller, request]);
        if (seen.has(pair)) report(["expect", i], `\`${caller}\` with \`${request}\` is expected twice`);
        seen.add(pair);
      }
    }
  });
  return faults;
}
