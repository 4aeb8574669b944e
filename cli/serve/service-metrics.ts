import type { RuleSetStatus } from "#authz/rulesets/status";
import type { LoadResult } from "#authz/rulesets/sync";
import type { Metrics, Reading } from "#platform/metrics";
import type { ServedCertificate } from "./served-certificates.ts";

interface Now {
  readonly rules: RuleSetStatus;
  readonly certificates: readonly ServedCertificate[];
  readonly nowMillis: number;
}

/** Metrics of the rule set in force, of attempts to load one, and of the doors' certificates. `now` is asked at each scrape. */
export function addServiceMetrics(
  metrics: Metrics,
  now: () => Now,
): { readonly onLoad: (result: LoadResult, durationMillis: number) => void } {
  for (const { name, help, labels, read } of gauges) {
    metrics.gauge({ name, help, labels: labels ?? [], read: () => read(now()) });
  }
  const loads = metrics.counter({
    name: "garita_ruleset_loads_total",
    help: "Attempts to put the source's rules in force: activated, unchanged or refused (a fault that is read again counts once).",
    labels: ["result"],
  });
  for (const result of ["activated", "unchanged", "refused"]) loads.with(result);
  const durations = metrics.histogram({
    name: "garita_ruleset_load_duration_seconds",
    help: "Time to read, compile and prepare a rule set.",
    labels: [],
    bounds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  return {
    onLoad(result, durationMillis) {
      loads.with(result).value++;
      durations.with().observe(durationMillis / 1000);
    },
  };
}

interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (now: Now) => readonly Reading[];
}

const one = (value: number | undefined): readonly Reading[] => (value === undefined ? [] : [[[], value]]);
const seconds = (millis: number | undefined): number | undefined => (millis === undefined ? undefined : millis / 1000);

const gauges: readonly GaugeRow[] = [
  {
    name: "garita_ruleset_info",
    help: "The rule set in force: 1, with its digest.",
    labels: ["digest"],
    read: ({ rules }) => (rules.active === undefined ? [] : [[[rules.active.digest], 1]]),
  },
  {
    name: "garita_ruleset_commit_info",
    help: "The commit in force: 1, with its name and who signed it; of a bundle, its revision; none where policies come from a folder.",
    labels: ["commit", "signer"],
    read: ({ rules }) => {
      const revision = rules.active?.revision;
      return revision === undefined ? [] : [[[revision.commit, revision.signer ?? ""], 1]];
    },
  },
  {
    name: "garita_ruleset_stale",
    help: "1: the rule set in force was not found to be the newest for longer than is allowed, or its bundle has expired.",
    read: ({ rules }) => one(rules.active === undefined ? undefined : rules.staleSinceMillis === undefined ? 0 : 1),
  },
  {
    name: "garita_ruleset_pinned",
    help: "1: an operator has pinned the commit in force, and no push comes into force.",
    read: ({ rules }) => one(rules.pinned === undefined ? 0 : 1),
  },
  {
    name: "garita_ruleset_pin_end_timestamp_seconds",
    help: "When the pin ends by itself; none without one.",
    read: ({ rules }) => one(seconds(rules.pinned?.untilMillis)),
  },
  {
    name: "garita_ruleset_age_seconds",
    help: "Time since the rule set in force was put in force.",
    read: ({ rules, nowMillis }) =>
      one(rules.active === undefined ? undefined : seconds(nowMillis - rules.active.sinceMillis)),
  },
  {
    name: "garita_ruleset_current",
    help: "1: the rule set in force is of the newest state of the source that was seen; 0: the newest was refused, or there is none.",
    read: ({ rules }) => one(rules.current ? 1 : 0),
  },
  {
    name: "garita_ruleset_last_success_timestamp_seconds",
    help: "When the rule set in force was last found to be the newest.",
    read: ({ rules }) => one(seconds(rules.lastSuccessMillis)),
  },
  {
    name: "garita_ruleset_last_attempt_timestamp_seconds",
    help: "When the source was last read.",
    read: ({ rules }) => one(seconds(rules.lastAttemptMillis)),
  },
  {
    name: "garita_ruleset_next_attempt_timestamp_seconds",
    help: "When the source will be asked again, where it is asked by time.",
    read: ({ rules }) => one(seconds(rules.nextAttemptMillis)),
  },
  {
    name: "garita_certificate_not_after_timestamp_seconds",
    help: "When the certificate that a door shows to its clients ends: `listener NAME`, `admin API` or `webhook`.",
    labels: ["door"],
    read: ({ certificates }) => certificates.map(({ door, notAfterMillis }) => [[door], notAfterMillis / 1000]),
  },
  {
    name: "garita_ruleset_rules",
    help: "Rules in force.",
    read: ({ rules }) => one(rules.active?.counts.rules),
  },
  {
    name: "garita_ruleset_diagnostics",
    help: "What the compiler says of the rules in force: warnings and notes.",
    labels: ["severity"],
    read: ({ rules }) => {
      const { active } = rules;
      if (active === undefined) return [];
      return ["warning", "note"].map((severity) => [
        [severity],
        active.diagnostics.filter((diagnostic) => diagnostic.severity === severity).length,
      ]);
    },
  },
  {
    name: "garita_ruleset_policies",
    help: "Authorization policies in force, by stage of the decision.",
    labels: ["stage"],
    read: ({ rules }) =>
      Object.entries(rules.active?.counts.policiesByAction ?? {}).map(([stage, count]) => [[stage], count]),
  },
];
