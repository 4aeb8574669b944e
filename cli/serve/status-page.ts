import type { LackingWatch } from "#authz/decision-log/lacking";
import type { StatusPage } from "#authz/transport/admin/contract";
import { renderAddress } from "#platform/address";
import type { Changeable } from "./apply-config.ts";
import { issuerWarnings } from "./issuer-warnings.ts";
import { providerWarnings } from "./provider-reports.ts";
import type { Reload } from "./reload.ts";
import { ruleWarnings } from "./rule-warnings.ts";
import { sourceWarnings } from "./source-warnings.ts";

export interface StatusPageParts
  extends Pick<Changeable, "rules" | "outside" | "authority" | "revocations" | "listeners" | "log"> {
  readonly version: string;
  readonly startedMillis: number;
  readonly ending: boolean;
  readonly configuration: ReturnType<Reload["status"]>;
  readonly doorWarnings: readonly string[];
  readonly lacking: LackingWatch;
}

/** Everything that operators are told of a service, as it is now. */
export function renderStatusPage(parts: StatusPageParts): StatusPage {
  const { rules, outside, authority, revocations, configuration } = parts;
  const inForce = rules.snapshot();
  const rulesStatus = rules.sync().status();
  return {
    version: parts.version,
    node: process.versions.node,
    startedMillis: parts.startedMillis,
    ending: parts.ending,
    rules: rulesStatus,
    issuers: outside.issuers(),
    providers: outside.providers(),
    authority: authority.summary(),
    revocations: revocations.status(),
    listeners: parts.listeners.running.map(({ prepared, listener }) => ({
      name: listener.name,
      protocol: prepared.config.protocol,
      address: renderAddress(listener.address),
      tls: prepared.tls !== undefined,
      certificateNotAfterMillis: prepared.tls?.notAfterMillis,
    })),
    configuration,
    droppedLogLines: parts.log.dropped(),
    warnings: [
      ...sourceWarnings(rulesStatus, configuration.fault),
      ...parts.doorWarnings,
      ...(inForce === undefined ? [] : ruleWarnings(inForce.engine.ruleSet)),
      ...issuerWarnings(outside.issuers()),
      ...providerWarnings(outside.providers()),
      ...parts.lacking.warnings(),
      ...revocations.warnings(),
      ...(authority.summary()?.warnings ?? []),
    ],
  };
}
