import type { AuthorityCost } from "./ca.ts";
import { limitMicros } from "./ca-limit.ts";
import type { RestartCost } from "./ca-restart.ts";
import type { Row } from "./row.ts";

/** What others issue with an RSA-2048 issuer over gRPC with TLS, a second and core, on a machine whose `openssl speed` signs so often a second with such a key. */
const peers = { istiod: 1_200, spire: 1_000, rsa2048Signs: 4_126 };

/** The bars of the authority. What is a fraction is one of the limit of its line. */
export function authorityRows(cost: AuthorityCost): readonly Row[] {
  const { costs, cycle, recorded, served, stages, authentication } = cost;
  const unit = "µs CPU a certificate";
  const ofLimit = "of the limit";
  const aCore = "a second of one core";
  const machine = 1e6 / costs.rsa2048SignMicros / peers.rsa2048Signs;
  const rsaServed = 1e6 / served["RSA-2048"].micros;
  return [
    { what: "limit: P-256 verified, P-256 signed", value: limitMicros(costs, "P-256"), unit },
    { what: "limit: P-256 verified, RSA-2048 signed", value: limitMicros(costs, "RSA-2048"), unit },
    { what: "in process, P-256 issuer", value: cycle["P-256"].micros, unit },
    { what: "in process, P-256 issuer", value: cycle["P-256"].fraction, unit: ofLimit, least: 0.22 },
    { what: "in process, RSA-2048 issuer", value: cycle["RSA-2048"].micros, unit },
    { what: "in process, RSA-2048 issuer", value: cycle["RSA-2048"].fraction, unit: ofLimit, least: 0.5 },
    { what: "with the record", value: recorded.micros, unit },
    { what: "with the record", value: recorded.fraction, unit: ofLimit, least: 0.15 },
    { what: "over gRPC, P-256 issuer", value: served["P-256"].micros, unit },
    { what: "over gRPC, P-256 issuer", value: served["P-256"].fraction, unit: ofLimit, least: 0.11 },
    { what: "over gRPC, P-256 issuer", value: 1e6 / served["P-256"].micros, unit: aCore },
    { what: "over gRPC, RSA-2048 issuer", value: served["RSA-2048"].micros, unit },
    { what: "over gRPC, RSA-2048: ahead of istiod", value: rsaServed, unit: aCore, least: peers.istiod * machine },
    { what: "over gRPC, RSA-2048: ahead of SPIRE", value: rsaServed, unit: aCore, least: peers.spire * machine },
    ...[
      ["parse the request", stages.parse],
      ["prove it", stages.prove],
      ["decide", stages.decide],
      ["build", stages.build],
      ["lint", stages.lint],
      ["sign", stages.sign],
      ["verify the result", stages.verify],
      ["record: the service's side", recorded.micros - recorded.storeMicros - cycle["P-256"].micros],
      ["record: the database's thread", recorded.storeMicros],
      ["transport", served["P-256"].micros - recorded.micros],
      ["authenticate, a certificate that is known", authentication.knownMicros],
      ["authenticate, one that is not", authentication.unknownMicros],
    ].map(([what, value]) => ({ what: `where it goes: ${what}`, value: value as number, unit })),
    { what: "with the record, by the clock", value: recorded.clockMicros, unit: "µs a certificate" },
  ];
}

/** The bars of a mesh that restarts. */
export function restartRows({ agents, outcome, loopDelay, ...cost }: RestartCost): readonly Row[] {
  const restart = `${agents} agents restart:`;
  return [
    { what: `${restart} served`, value: outcome.served, unit: "agents", least: agents },
    { what: `${restart} event loop's delay, p99`, value: loopDelay.p99Millis, unit: "ms", most: 50 },
    { what: `${restart} its own part of it, p99`, value: loopDelay.busyP99Millis, unit: "ms CPU", most: 50 },
    { what: `${restart} the most resident`, value: cost.peakMegabytes, unit: "MB", most: 800 },
    { what: `${restart} all have theirs after`, value: outcome.seconds, unit: "s" },
    { what: `${restart} one waits, median`, value: outcome.p50Millis / 1000, unit: "s" },
    { what: `${restart} connections tried`, value: outcome.attempts, unit: "connections" },
    { what: `${restart} an agent takes`, value: cost.micros, unit: "µs CPU of the service" },
    { what: `${restart} and of its own`, value: (outcome.clientCpuSeconds * 1e6) / agents, unit: "µs CPU" },
  ];
}
