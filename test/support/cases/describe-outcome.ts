import type { CheckRecord } from "#authz/check/contract";
import type { Decision, DryRunResult } from "#authz/engine/decision";
import type { Outcome } from "../envoy-front/carry-out.ts";
import type { CaseAnswer, DryRunAnswer, RequestCase } from "./case.ts";

/** Header names of a denial that are told, where no extension provider could have set others. */
const toldHeaders: ReadonlySet<string> = new Set([
  "www-authenticate",
  "location",
  "grpc-status",
  "grpc-message",
  "content-type",
]);

/** Headers that are never told: they say nothing of the decision. */
const untoldHeaders: ReadonlySet<string> = new Set([
  "date",
  "server",
  "content-length",
  "x-envoy-upstream-service-time",
]);

/** What came of a case, in the shape of `expect`. */
export function describeOutcome(line: RequestCase, outcome: Outcome, record: CheckRecord | undefined): CaseAnswer {
  const recorded = record === undefined ? {} : describeRecord(record.decision);
  const rule = record === undefined ? null : ruleOf(record);
  const name = line.name;
  if (line.request === undefined) {
    if (outcome.kind === "forwarded") return { name, decision: "allow", ...recorded };
    return { name, decision: "deny", rule, ...recorded };
  }
  switch (outcome.kind) {
    case "closed":
      return { name, decision: "deny", status: null, body: null, rule };
    case "forwarded": {
      const upstream = line.request.method === "HEAD" ? {} : { upstream: outcome.upstream };
      return { name, decision: "allow", status: 200, body: null, rule, ...upstream, ...recorded };
    }
    case "replied": {
      const { status, body, headers } = outcome.reply;
      const isTold = (header: string) =>
        line.providers === undefined ? toldHeaders.has(header) : !untoldHeaders.has(header);
      return {
        name,
        decision: "deny",
        status,
        ...(body === undefined ? {} : { body }),
        rule,
        // Of several lines those who record the answers of providers keep the last.
        headers: Object.fromEntries(
          [...headers]
            .filter(([header]) => isTold(header))
            .map(([header, lines]) => [header, lines.at(line.providers === undefined ? 0 : -1)!]),
        ),
        ...recorded,
      };
    }
  }
}

function ruleOf({ decision, custom }: CheckRecord): string | null {
  if (decision.rule !== undefined) return decision.rule.key;
  if (decision.reason === "policy/not-allowed") return "none";
  return custom?.key ?? null;
}

function describeRecord(decision: Decision): Pick<CaseAnswer, "audit" | "dryRun"> {
  const { allow, deny } = decision.dryRun;
  const dryRun = {
    ...(allow === undefined ? {} : { allow: describeDryRun(allow) }),
    ...(deny === undefined ? {} : { deny: describeDryRun(deny) }),
  };
  return {
    ...(decision.audit === undefined ? {} : { audit: decision.audit.matched }),
    ...(allow === undefined && deny === undefined ? {} : { dryRun }),
  };
}

function describeDryRun({ result, rule }: DryRunResult): DryRunAnswer {
  return { result, rule: rule?.key ?? null };
}
