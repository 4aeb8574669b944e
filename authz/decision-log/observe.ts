import type { CheckRecord } from "#authz/check/contract";
import type { Log } from "#platform/log";
import type { Count, Distribution, Metrics } from "#platform/metrics";
import { denialEntry, failedOpenEntry } from "./denial.ts";

/** Upper bounds of the latency histogram, in seconds: 50 µs to 1 s. */
const latencyBoundsSeconds = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const;

/**
 * Counts every decision and writes one line per denial; allowed requests are counted and not logged, but for those
 * that pass because a provider failed. Labels are bounded: a
 * listener, an outcome, a reason out of a table.
 */
export function createObserver(metrics: Metrics, log: Log): (record: CheckRecord, durationMillis: number) => void {
  const decisions = metrics.counter({
    name: "garita_decisions_total",
    help: "Decisions by listener, outcome and reason.",
    labels: ["listener", "outcome", "reason"],
  });
  const durations = metrics.histogram({
    name: "garita_decision_duration_seconds",
    help: "Time from a complete request to its answer.",
    labels: ["listener", "outcome"],
    bounds: latencyBoundsSeconds,
  });
  const faults = metrics.counter({
    name: "garita_condition_faults_total",
    help: "Conditions of rules, and values of their answers, that could not be evaluated and mattered to a decision, by code.",
    labels: ["code"],
  });
  // PERF: three look-ups by short keys and no joined label text per decision.
  const known = new Map<string, Map<string, { count: Count; duration: Distribution }>>();
  const seriesOf = ({ listener, decision: { outcome, reason } }: CheckRecord) => {
    let byReason = known.get(listener);
    if (byReason === undefined) {
      byReason = new Map();
      known.set(listener, byReason);
    }
    // An outcome follows from its reason, but for `policy/no-policy`-like reasons of both kinds.
    const key = outcome === "allow" ? reason : `!${reason}`;
    let series = byReason.get(key);
    if (series === undefined) {
      series = {
        count: decisions.with(listener, outcome, reason),
        duration: durations.with(listener, outcome),
      };
      byReason.set(key, series);
    }
    return series;
  };
  return (record, durationMillis) => {
    const { count, duration } = seriesOf(record);
    count.value++;
    duration.observe(durationMillis / 1000);
    for (const { code } of record.decision.conditionFaults) faults.with(code).value++;
    if (record.decision.outcome === "deny") log.info(denialEntry(record), "denied");
    else if (record.failedOpen !== undefined)
      log.warn(failedOpenEntry(record, record.failedOpen), "allowed because a provider failed");
  };
}
