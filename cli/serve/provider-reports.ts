import type { ProviderConnectionsOptions } from "#authz/custom/connections";
import type { ProviderStatus } from "#authz/custom/contract";
import type { Log } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import { createBoundedNames } from "./bounded-names.ts";

/** Counts what providers fail to answer, and writes a line when one begins to fail and when it answers again. */
export function createProviderReports(
  metrics: Metrics,
  log: Log,
): Required<Pick<ProviderConnectionsOptions, "onFailure" | "onTurn">> {
  const label = createBoundedNames();
  const failures = metrics.counter({
    name: "garita_provider_failures_total",
    help: "Questions that an extension provider failed to answer: failed_open, the request went on without it, or refused.",
    labels: ["provider", "outcome"],
  });
  return {
    onFailure(provider, consequence) {
      failures.with(label(provider), consequence).value++;
    },
    onTurn({ name, target, failOpen }, fault) {
      if (fault === undefined) log.info({ provider: name }, "a provider answers again");
      else log.warn({ provider: name, target, reason: fault, failOpen }, "a provider does not answer");
    },
  };
}

/** Providers whose last question failed, one line each. */
export function providerWarnings(providers: readonly ProviderStatus[]): string[] {
  return providers.flatMap(({ name, failing, failOpen, lastFault }) =>
    failing
      ? [
          `provider ${name}: the last question failed (${lastFault?.message}), ${failOpen ? "requests pass without it (failOpen)" : "its requests are refused"}`,
        ]
      : [],
  );
}
