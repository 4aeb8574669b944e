/**
 * Counters, gauges and histograms. They are plain numbers until somebody asks for them, so that counting costs next to
 * nothing; the Prometheus client, which renders them, is loaded by the first scrape.
 */

export interface MetricName {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** One time series of a counter. */
export interface Count {
  value: number;
}

/** One time series of a histogram. `buckets[i]` counts observations up to `bounds[i]`; the last one those beyond. */
export interface Distribution {
  readonly buckets: number[];
  sum: number;
  observe(value: number): void;
}

export interface Family<Series> {
  /** The series with these label values, in the order of the family's labels. The same object each time. */
  with(...values: readonly string[]): Series;
}

/** Values that are computed when somebody asks: label values and a number. */
export type Reading = readonly [labels: readonly string[], value: number];

export interface Metrics {
  counter(name: MetricName): Family<Count>;
  histogram(name: MetricName & { readonly bounds: readonly number[] }): Family<Distribution>;
  gauge(name: MetricName & { readonly read: () => readonly Reading[] }): void;
  /** The Prometheus text format, with Node's own metrics. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

interface Snapshot {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly aggregator: "sum";
  readonly values: readonly Sample[];
}

/** An empty set of metrics. */
export function createMetrics(): Metrics {
  const snapshots: (() => Snapshot)[] = [];
  let runtime: Promise<PrometheusRegistry> | undefined;
  return {
    counter(name) {
      const family = new SeriesFamily<Count>(name, () => ({ value: 0 }));
      snapshots.push(() =>
        snapshot(
          name,
          "counter",
          family.samples((series) => [{ labels: {}, value: series.value }]),
        ),
      );
      return family;
    },
    histogram(name) {
      const family = new SeriesFamily(name, () => createDistribution(name.bounds));
      snapshots.push(() =>
        snapshot(
          name,
          "histogram",
          family.samples((series) => histogramSamples(name.name, name.bounds, series)),
        ),
      );
      return family;
    },
    gauge(name) {
      snapshots.push(() =>
        snapshot(
          name,
          "gauge",
          name.read().map(([labels, value]) => ({ labels: labelled(name, labels), value })),
        ),
      );
    },
    async render() {
      runtime ??= createRuntimeRegistry();
      const { aggregate, node } = await runtime;
      const own = aggregate([snapshots.map((take) => take())]);
      return { contentType: own.contentType, text: `${await own.metrics()}${await node.metrics()}` };
    },
  };
}

class SeriesFamily<Series> implements Family<Series> {
  readonly #name: MetricName;
  readonly #create: () => Series;
  readonly #series = new Map<string, { readonly values: readonly string[]; readonly series: Series }>();

  constructor(name: MetricName, create: () => Series) {
    this.#name = name;
    this.#create = create;
  }

  with(...values: readonly string[]): Series {
    // A label value cannot hold a line break, so that joined values are as distinct as the lists.
    const key = values.length === 1 ? values[0]! : values.join("\n");
    const known = this.#series.get(key);
    if (known !== undefined) return known.series;
    const series = this.#create();
    this.#series.set(key, { values, series });
    return series;
  }

  samples(read: (series: Series) => readonly Sample[]): Sample[] {
    return [...this.#series.values()].flatMap(({ values, series }) =>
      read(series).map((sample) => ({ ...sample, labels: { ...labelled(this.#name, values), ...sample.labels } })),
    );
  }
}

function createDistribution(bounds: readonly number[]): Distribution {
  const buckets = new Array<number>(bounds.length + 1).fill(0);
  return {
    buckets,
    sum: 0,
    observe(value) {
      let i = 0;
      while (i < bounds.length && value > bounds[i]!) i++;
      buckets[i]!++;
      this.sum += value;
    },
  };
}

function histogramSamples(name: string, bounds: readonly number[], series: Distribution): Sample[] {
  const out: Sample[] = [];
  let total = 0;
  for (const [i, count] of series.buckets.entries()) {
    total += count;
    out.push({ labels: { le: bounds[i] ?? "+Inf" }, value: total, metricName: `${name}_bucket` });
  }
  out.push({ labels: {}, value: series.sum, metricName: `${name}_sum` });
  out.push({ labels: {}, value: total, metricName: `${name}_count` });
  return out;
}

function snapshot(name: MetricName, type: Snapshot["type"], values: readonly Sample[]): Snapshot {
  return { name: name.name, help: name.help, type, aggregator: "sum", values };
}

function labelled(name: MetricName, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(name.labels.map((label, i) => [label, values[i] ?? ""]));
}

interface PrometheusRegistry {
  readonly aggregate: (metrics: readonly (readonly Snapshot[])[]) => {
    contentType: string;
    metrics(): Promise<string>;
  };
  readonly node: { metrics(): Promise<string> };
}

async function createRuntimeRegistry(): Promise<PrometheusRegistry> {
  const { Registry, collectDefaultMetrics } = await import("@prometheus-io/client");
  const node = new Registry();
  collectDefaultMetrics({ register: node });
  return { node, aggregate: (metrics) => Registry.aggregate(metrics.map((list) => [...list])) };
}
