import type { ObservedOutcome } from "#ca/issuance/issue-certificate";
import type { AuthorityStatusPage } from "#ca/service/contract";
import type { Metrics } from "#platform/metrics";
import { addStreamMetrics, type ObserveStream } from "./stream-metrics.ts";

type Summary = Omit<AuthorityStatusPage, "store">;

/** What hears an authority, for metrics. */
export interface AuthorityObservers {
  readonly onOutcome: (outcome: ObservedOutcome) => void;
  readonly onStream: ObserveStream;
}

/** Metrics of the certificate authority; `summary` is asked at each scrape, undefined where there is none. */
export function addAuthorityMetrics(metrics: Metrics, summary: () => Summary | undefined): AuthorityObservers {
  const requests = metrics.counter({
    name: "garita_ca_requests_total",
    help: "Certificate requests: `issued`, or the code of the refusal; how the caller was authenticated, the kind of key, the door.",
    labels: ["result", "method", "key_kind", "door"],
  });
  const durations = metrics.histogram({
    name: "garita_ca_request_duration_seconds",
    help: "Time from a request's arrival to its answer, waiting for its turn and for the disk included.",
    labels: ["result"],
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  metrics.gauge({
    name: "garita_ca_authority_not_after_timestamp_seconds",
    help: "When an authority's certificate ends.",
    labels: ["role", "key_id", "state"],
    read: () =>
      (summary()?.authorities ?? []).map(({ role, keyId, state, notAfterMillis }) => [
        [role, keyId, state],
        notAfterMillis / 1000,
      ]),
  });
  metrics.gauge({
    name: "garita_ca_server_certificate_not_after_timestamp_seconds",
    help: "When the authority's own server certificate ends.",
    labels: [],
    read: () => one(seconds(summary()?.serverCertificateNotAfterMillis)),
  });
  metrics.gauge({
    name: "garita_ca_bundle_sequence",
    help: "Sequence of the trust bundle; raised by every change.",
    labels: [],
    read: () => one(summary()?.bundle.sequence),
  });
  metrics.gauge({
    name: "garita_ca_root_rotation_state",
    help: "1 for the state of the root that is on its way, or of the one that leaves; absent where there is neither.",
    labels: ["state"],
    read: () => {
      const state = summary()?.rotation.state;
      return state === undefined ? [] : [[[state], 1]];
    },
  });
  metrics.gauge({
    name: "garita_ca_root_rotation_stragglers",
    help: "Certificates and streams that hold up the root that is on its way, or the removal of the one that leaves.",
    labels: [],
    read: () => one(summary()?.rotation.stragglers),
  });
  metrics.gauge({
    name: "garita_ca_outage_budget_seconds",
    help: "So long after the authority stops the first proxy breaks; absent where no certificate is in use.",
    labels: [],
    read: () => one(seconds(summary()?.rotation.outageBudgetMillis)),
  });
  metrics.gauge({
    name: "garita_ca_registrations",
    help: "Registrations in force.",
    labels: [],
    read: () => one(summary()?.registrations),
  });
  return {
    onOutcome({ result, method, keyKind, door, durationMillis }) {
      requests.with(result, method, keyKind, door).value++;
      durations.with(result === "issued" ? "issued" : "refused").observe(durationMillis / 1000);
    },
    onStream: addStreamMetrics(metrics, () => summary()?.streams),
  };
}

function one(value: number | undefined): readonly (readonly [readonly string[], number])[] {
  return value === undefined ? [] : [[[], value]];
}

function seconds(millis: number | undefined): number | undefined {
  return millis === undefined ? undefined : millis / 1000;
}
