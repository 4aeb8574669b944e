import type { KeySource } from "#identity/key-set/key-source";
import type { KeySets, KeySourceStatus } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { systemClock } from "#platform/clock";
import { fetchDocument } from "#platform/fetch-document";
import { systemTimers } from "#platform/timers";
import { renderFinding } from "../config/codes.ts";
import { jwtDefaults } from "../config/jwt-defaults.ts";
import { loadConfig } from "../config/load.ts";
import type { JwtConfig } from "../config/model.ts";
import type { PreparedFetching } from "../serve/issuer-keys.ts";
import { UsageFault } from "../usage-fault.ts";

/** Flags of commands that fetch. */
export interface FetchOptions {
  readonly config?: string;
  readonly caFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `jwt` of the configuration that was named, or its defaults; `--ca-file` goes over it. Fails with `UsageFault`. */
export async function jwtConfigOf({ config, caFile }: FetchOptions, environment: Environment): Promise<JwtConfig> {
  const own = caFile === undefined ? {} : { caFile };
  if (config === undefined) return { ...jwtDefaults, blockedCidrs: [], caFile: undefined, ...own };
  const loaded = await loadConfig(config, environment);
  if (!loaded.ok) throw new UsageFault(loaded.findings.map(renderFinding).join("\n"));
  return { ...loaded.config.jwt, ...own };
}

/** One attempt at each source, as a service makes it when it starts. The states are in the order of the sources. */
export async function fetchOnce(
  sources: readonly KeySource[],
  prepared: PreparedFetching,
): Promise<{ readonly sets: KeySets; readonly states: readonly KeySourceStatus[] }> {
  const store = createKeySetStore({
    fetchDocument: (uri, options) => fetchDocument(uri, prepared.fetch, options),
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    settings: () => prepared,
  });
  try {
    await store.follow(sources, patienceMillis);
    return { sets: store.current(), states: store.status() };
  } finally {
    await store.stop();
  }
}

/** Each attempt has a time of its own; this is for hundreds of issuers that are all down. */
const patienceMillis = 10 * 60_000;
