import type { CheckRecord, ListenerSettings } from "#authz/check/contract";
import type { Decision } from "#authz/engine/decision";
import type { Address } from "#platform/address";
import type { Log } from "#platform/log";
import type { TlsMaterial } from "#platform/tls-material";

/** Hears of every decision after it was sent. */
export type Observe = (record: CheckRecord, durationMillis: number) => void;

/** What a listener is started with. */
export interface ListenerStart {
  readonly settings: ListenerSettings;
  readonly address: Address;
  /** File mode of a Unix socket. */
  readonly unixMode: number;
  readonly tls: TlsMaterial | undefined;
  readonly observe: Observe;
  readonly log: Log;
  /** Milliseconds, never going back. */
  readonly monotonicMillis: () => number;
}

/** A listener that answers. */
export interface Listener {
  readonly name: string;
  /** Where it listens; a port 0 has become the real one. */
  readonly address: Address;
  /** From the next request (settings) and the next connection (TLS) on. Whether clients show certificates cannot change. */
  update(settings: ListenerSettings, tls: TlsMaterial | undefined): void;
  /** Tells clients that the end is near, while everything is still answered. */
  announceEnd(): void;
  /** Takes no new connections, finishes what runs, and cuts off what is left when the deadline aborts. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Larger messages are refused by the transport itself, before there is a check that could answer. */
export const receiveLimitBytes = 32 * 1024 * 1024;

/** What is recorded of a request that the transport had to answer on its own. It is a denial, whatever the reason. */
export function refusalRecord(
  settings: ListenerSettings,
  reason: Decision["reason"],
  status: number,
  detail: string,
): CheckRecord {
  return {
    id: "",
    decision: {
      outcome: "deny",
      reason,
      rule: undefined,
      audit: undefined,
      dryRun: { deny: undefined, allow: undefined },
      conditionFaults: [],
      visited: 0,
    },
    status,
    workload: undefined,
    attributes: undefined,
    requestLine: undefined,
    listener: settings.name,
    digest: undefined,
    custom: undefined,
    lacking: 0,
    detail,
    failedOpen: undefined,
    origin: undefined,
  };
}
