import type { DenyListStatus } from "#ca/deny-list/follow-deny-list";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { Clock } from "#platform/clock";
import type { Metrics } from "#platform/metrics";
import type { RevocationsConfig } from "../../config/model.ts";
import type { Revocations, RevocationsStatus } from "./contract.ts";
import { addRevocationMetrics } from "./metrics.ts";
import { revocationWarnings } from "./warnings.ts";

/** An authority elsewhere that is followed. */
export interface RemoteDenyList {
  status(): DenyListStatus;
  stop(): Promise<void>;
}

export interface RevocationsParts {
  /** Begins to follow; `held`: the list of the same trust domain that is in force. Resolves as `become` does. */
  readonly follow: (
    config: RevocationsConfig,
    held: DenyList | undefined,
    onList: (list: DenyList) => void,
  ) => Promise<RemoteDenyList>;
  /** Another list is in force, or none. */
  readonly onList: () => void;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** PERF: nothing is loaded where no authority elsewhere is configured. */
export function createRevocations({ follow, onList, clock, metrics }: RevocationsParts): Revocations {
  let list: DenyList | undefined;
  let hasOwn = false;
  let config: RevocationsConfig | undefined;
  let remote: RemoteDenyList | undefined;

  const take = (next: DenyList | undefined) => {
    list = next;
    onList();
  };
  const ready = () => config?.required !== true || list?.trustDomain === config.trustDomain;
  const inForce = () => (ready() ? list : "awaited");
  const described = (from: "own" | "authority" | "disk"): RevocationsStatus["list"] =>
    list && {
      sequence: list.sequence,
      ageSeconds: Math.max(0, Math.round((clock.nowMillis() - list.issuedMillis) / 1000)),
      certificates: list.certificates.length,
      identities: list.identities.length,
      from,
    };
  const status = (): RevocationsStatus | undefined => {
    if (remote !== undefined) {
      const { list: held, ...rest } = remote.status();
      return { source: "remote", ready: ready(), ...rest, list: described(held?.from ?? "disk") };
    }
    if (!hasOwn) return undefined;
    return { source: "own", ready: true, trustDomain: list?.trustDomain, list: described("own") };
  };

  addRevocationMetrics(metrics, status);
  return {
    current: () => list,
    inForce,
    own: take,
    async become(next, own) {
      hasOwn = own;
      if (JSON.stringify(next) !== JSON.stringify(config)) {
        const old = remote;
        const held = list?.trustDomain === next?.trustDomain ? list : undefined;
        const before = inForce();
        config = next;
        remote = undefined;
        if (inForce() !== before) onList();
        await old?.stop();
        if (next !== undefined) remote = await follow(next, held, take);
      }
      if (config === undefined && !hasOwn && list !== undefined) take(undefined);
    },
    ready,
    status,
    warnings: () => revocationWarnings(status()),
    async stop() {
      await remote?.stop();
    },
  };
}
