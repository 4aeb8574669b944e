import type { CheckRecord, ListenerSettings, Snapshot } from "./contract.ts";
import type { Verdict } from "./verdict.ts";

/** What was answered, for the log. `status` is 0 on TCP, where nobody sees one. */
export function recordVerdict(
  verdict: Verdict,
  id: string,
  listener: ListenerSettings,
  snapshot: Snapshot | undefined,
): CheckRecord {
  return {
    id,
    decision: verdict.decision,
    status: verdict.isHttp ? verdict.status : 0,
    workload: verdict.workload,
    attributes: verdict.attributes,
    requestLine: verdict.requestLine,
    listener: listener.name,
    digest: snapshot?.engine.digest,
    commit: snapshot?.commit,
    custom: verdict.custom,
    lacking: verdict.attributes?.lacking ?? 0,
    detail: verdict.detail,
    failedOpen: verdict.decision.outcome === "allow" ? verdict.failedOpen : undefined,
    origin: verdict.origin,
  };
}

/** A defect in words for the log: bounded, one line. */
export function describeDefect(defect: unknown): string {
  const text = defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect);
  return text.replace(/\s+/g, " ").slice(0, 500);
}
