import type { StreamsStatus } from "#ca/service/contract";
import type { Metrics } from "#platform/metrics";
import type { StreamEvent } from "#xds/contract";
import { createBoundedNames } from "../bounded-names.ts";

/** Hears what a client says of a resource. `pushMillis`: since another bundle came into force until this acknowledgement of it, where the stream was open before. */
export type ObserveStream = (event: StreamEvent, pushMillis: number | undefined) => void;

/** Metrics of the streams that give secrets; `status` is asked at each scrape, undefined where there are none. */
export function addStreamMetrics(metrics: Metrics, status: () => StreamsStatus | undefined): ObserveStream {
  const nameLabel = createBoundedNames();
  const rejections = metrics.counter({
    name: "garita_sds_rejections_total",
    help: "Secrets that clients rejected, by the secret's name.",
    labels: ["name"],
  });
  const pushes = metrics.histogram({
    name: "garita_sds_push_duration_seconds",
    help: "Time from another trust bundle in force to its acknowledgement by a stream that was open before.",
    labels: [],
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  });
  metrics.gauge({
    name: "garita_ca_streams",
    help: "Streams of the gRPC door that are open; one that takes several types of resources counts for each.",
    labels: [],
    read: () => {
      const now = status();
      return now === undefined ? [] : [[[], now.open]];
    },
  });
  metrics.gauge({
    name: "garita_sds_bundle_propagated_ratio",
    help: "Of the streams that take the trust bundle, the part that has acknowledged the one in force; not there without such a stream.",
    labels: [],
    read: () => {
      const { taken = 0, acknowledged = 0 } = status()?.bundle ?? {};
      return taken === 0 ? [] : [[[], acknowledged / taken]];
    },
  });
  return ({ kind, name }, pushMillis) => {
    if (kind === "rejected") rejections.with(nameLabel(name)).value++;
    if (pushMillis !== undefined) pushes.with().observe(pushMillis / 1000);
  };
}
