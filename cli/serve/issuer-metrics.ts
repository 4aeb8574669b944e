import type { KeySourceStatus } from "#identity/key-sources/contract";
import type { Attempt } from "#identity/key-sources/remote-source";
import { nameOfSource } from "#identity/key-sources/shown";
import type { Metrics, Reading } from "#platform/metrics";
import { createBoundedNames } from "./bounded-names.ts";

interface Now {
  readonly issuers: readonly KeySourceStatus[];
  readonly nowMillis: number;
}

/** Metrics of the keys of issuers. `now` is asked at each scrape. Inline sets have none: nothing happens to them. */
export function addIssuerMetrics(metrics: Metrics, now: () => Now): { readonly onAttempt: (attempt: Attempt) => void } {
  const label = createBoundedNames();
  /** One reading for each label: sources of one name have the same document, or are `other`. */
  const readings = (read: (status: KeySourceStatus, nowMillis: number) => number | undefined): readonly Reading[] => {
    const { issuers, nowMillis } = now();
    const values = new Map<string, number>();
    for (const status of issuers) {
      const value = status.kind === "inline" ? undefined : read(status, nowMillis);
      const name = label(status.name);
      if (value !== undefined && name !== "other" && !values.has(name)) values.set(name, value);
    }
    return [...values].map(([name, value]) => [[name], value]);
  };
  metrics.gauge({
    name: "garita_issuer_keys",
    help: "Keys of an issuer that can be used.",
    labels: ["issuer"],
    read: () => readings(({ keys }) => keys.length),
  });
  metrics.gauge({
    name: "garita_issuer_keys_age_seconds",
    help: "Time since an issuer's keys in use came, or were found unchanged.",
    labels: ["issuer"],
    read: () =>
      readings(({ fetchedMillis }, nowMillis) =>
        fetchedMillis === undefined ? undefined : Math.max(0, nowMillis - fetchedMillis) / 1000,
      ),
  });
  const fetches = metrics.counter({
    name: "garita_issuer_fetches_total",
    help: "Attempts to refresh an issuer's keys: renewed, unchanged, or the code of the fault.",
    labels: ["issuer", "outcome"],
  });
  const durations = metrics.histogram({
    name: "garita_issuer_fetch_duration_seconds",
    help: "Time of an attempt to refresh an issuer's keys.",
    labels: [],
    bounds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  return {
    onAttempt({ source, outcome, fault, durationMillis }) {
      fetches.with(label(nameOfSource(source)), fault?.code ?? outcome).value++;
      durations.with().observe(durationMillis / 1000);
    },
  };
}
