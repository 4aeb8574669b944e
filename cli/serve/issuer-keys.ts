import { createHash } from "node:crypto";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import type { Attempt } from "#identity/key-sources/remote-source";
import { nameOfSource } from "#identity/key-sources/shown";
import type { Clock } from "#platform/clock";
import { createAddressGuard, parseBlock } from "#platform/fetch/address-guard";
import { loadTrustedRoots } from "#platform/fetch/trusted-roots";
import type { FetchSettings } from "#platform/fetch-bytes";
import { fetchDocument } from "#platform/fetch-document";
import type { Log } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import type { Timers } from "#platform/timers";
import type { JwtConfig } from "../config/model.ts";
import { addIssuerMetrics } from "./issuer-metrics.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Larger documents of keys are not read. A set of 256 keys with their certificates has about half of it. */
export const maxDocumentBytes = 1024 * 1024;

export interface IssuerKeysParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1, without 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How keys are fetched, read from a configuration and ready to be used. */
export interface PreparedFetching {
  readonly fetch: FetchSettings;
  readonly refreshMillis: number;
  readonly maxStaleMillis: number;
  /** Differs when a fetch may turn out otherwise. */
  readonly mark: string;
}

/** The keys of all issuers, for the service. `store` is what decisions see; it ends with `store.stop()`. */
export interface IssuerKeys {
  readonly store: KeySetStore;
  /** From now on; where a fetch may turn out otherwise, every source is fetched anew. */
  use(prepared: PreparedFetching): void;
}

/**
 * Reads what fetching depends on, the file of authorities among it. Fails with `tls/unreadable` or `tls/unusable`. The proxies of the environment are
 * those of the process: they do not change while it runs.
 */
export async function prepareFetching(jwt: JwtConfig, environment: Environment): Promise<PreparedFetching> {
  const { roots, authorities } = await loadTrustedRoots(jwt.caFile);
  return {
    fetch: {
      // The configuration has checked each block.
      guard: createAddressGuard(jwt.blockedCidrs.map((text) => parseBlock(text)!)),
      roots,
      environment,
      maxBytes: maxDocumentBytes,
    },
    refreshMillis: jwt.refreshSeconds * 1000,
    maxStaleMillis: jwt.maxStaleSeconds * 1000,
    mark: createHash("sha256")
      .update(JSON.stringify([jwt.blockedCidrs, authorities, jwt.refreshSeconds, jwt.maxStaleSeconds]))
      .digest("hex"),
  };
}

/** An empty store that fetches over the network as prepared, counts and logs. Nothing is fetched before `store.follow`. */
export function createIssuerKeys(
  { clock, timers, random, log, metrics }: IssuerKeysParts,
  prepared: PreparedFetching,
): IssuerKeys {
  let used = prepared;
  const { onAttempt } = addIssuerMetrics(metrics, () => ({ issuers: store.status(), nowMillis: clock.nowMillis() }));
  const logAttempt = createAttemptLog(log);
  const store = createKeySetStore({
    fetchDocument: (uri, options) => fetchDocument(uri, used.fetch, options),
    clock,
    timers,
    random,
    settings: () => used,
    onAttempt(attempt) {
      onAttempt(attempt);
      logAttempt(attempt);
    },
  });
  return {
    store,
    use(next) {
      const changed = next.mark !== used.mark;
      used = next;
      if (changed) void store.refresh();
    },
  };
}

/** So many issuers are remembered for what was last said of them. */
const maxRemembered = 1_000;

/** Logs an attempt that turned out otherwise than the one before: an issuer that is down for a day makes two lines and not hundreds. */
export function createAttemptLog(log: Log): (attempt: Attempt) => void {
  const faulty = new Map<string, string>();
  return ({ source, fault, outcome }) => {
    const issuer = nameOfSource(source);
    const before = faulty.get(source.id);
    if (fault === undefined) {
      if (faulty.delete(source.id)) log.info({ issuer }, "keys of an issuer are refreshed again");
      else if (outcome === "renewed") log.info({ issuer }, "keys of an issuer are renewed");
      return;
    }
    if (before === fault.code) return;
    faulty.set(source.id, fault.code);
    if (faulty.size > maxRemembered) faulty.delete(faulty.keys().next().value!);
    log.warn({ issuer, code: fault.code, reason: fault.message }, "keys of an issuer cannot be refreshed");
  };
}
