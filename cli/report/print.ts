import type { CompiledFolder } from "../policies/compile-folder.ts";
import { textOf } from "../policies/compile-folder.ts";
import { expressionCosts } from "./costs.ts";
import type { DiagnosticFormat, DiagnosticReport } from "./report.ts";

interface PrintOptions {
  readonly colour: boolean;
  readonly version: string;
  /** Each condition with its cost, not the costliest alone. */
  readonly allCosts?: boolean;
}

/** Renders what the compiler said of a folder in the format asked for. Formats that need a library load it here. */
export async function renderDiagnostics(
  compiled: CompiledFolder,
  format: DiagnosticFormat,
  { colour, version, allCosts = false }: PrintOptions,
): Promise<string> {
  const report: DiagnosticReport = {
    folder: compiled.folder,
    diagnostics: compiled.diagnostics,
    textOf: textOf(compiled),
    summary: summaryOf(compiled),
    costs: compiled.built === undefined ? [] : expressionCosts(compiled.built.ruleSet),
    allCosts,
  };
  switch (format) {
    case "text":
      return (await import("./text.ts")).renderText(report, colour);
    case "json":
      return (await import("./json.ts")).renderJson(report);
    case "github":
      return (await import("./github.ts")).renderGithub(report);
    case "sarif":
      return (await import("./sarif.ts")).renderSarif(report, version);
    case "junit":
      return (await import("./junit.ts")).renderJunit(report);
  }
}

function summaryOf({ built }: CompiledFolder): string | undefined {
  if (built === undefined) return undefined;
  const { policies, rules, peerAuthentications, requestAuthentications, workloads, registrations } = built.ruleSet;
  const parts = [
    [policies.length, "AuthorizationPolicy", "AuthorizationPolicies"],
    [rules.length, "rule", "rules"],
    [requestAuthentications.length, "RequestAuthentication", "RequestAuthentications"],
    [peerAuthentications.length, "PeerAuthentication", "PeerAuthentications"],
    [workloads.length, "workload", "workloads"],
    [registrations.length, "registration", "registrations"],
  ] as const;
  const said = parts.filter(([n], i) => n > 0 || i < 2).map(([n, one, many]) => `${n} ${n === 1 ? one : many}`);
  return `valid: ${said.join(", ")}, digest ${built.digest.slice(0, 12)}`;
}
