import type { Metrics, Reading } from "#platform/metrics";
import type { RevocationsStatus } from "./contract.ts";

/** Metrics of the deny list; `status` is asked at each scrape, undefined where there is no source of one. */
export function addRevocationMetrics(metrics: Metrics, status: () => RevocationsStatus | undefined): void {
  for (const { name, help, labels = [], read } of gauges) {
    metrics.gauge({
      name,
      help,
      labels,
      read: () => {
        const now = status();
        return now === undefined ? [] : read(now);
      },
    });
  }
}

interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (status: RevocationsStatus) => readonly Reading[];
}

const one = (value: number | undefined): readonly Reading[] => (value === undefined ? [] : [[[], value]]);

const gauges: readonly GaugeRow[] = [
  {
    name: "garita_deny_list_sequence",
    help: "Sequence of the deny list in force.",
    read: ({ list }) => one(list?.sequence),
  },
  {
    name: "garita_deny_list_age_seconds",
    help: "Time since the deny list in force was signed.",
    read: ({ list }) => one(list?.ageSeconds),
  },
  {
    name: "garita_deny_list_entries",
    help: "Members of the deny list in force, by kind: certificate or identity.",
    labels: ["kind"],
    read: ({ list }) =>
      list === undefined
        ? []
        : [
            [["certificate"], list.certificates],
            [["identity"], list.identities],
          ],
  },
  {
    name: "garita_deny_list_connected",
    help: "1: the authority elsewhere that the deny list comes from is connected; 0: it is not.",
    read: ({ connected }) => one(connected === undefined ? undefined : Number(connected)),
  },
  {
    name: "garita_deny_list_refused",
    help: "Deny lists that were refused since the authority elsewhere is followed.",
    read: ({ refusals }) => one(refusals),
  },
];
