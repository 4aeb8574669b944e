import type { BundleStanding } from "./contract.ts";

/** What one local stream has of the bundle, by one of the bundle's names. */
export interface LocalStream {
  /** No other stream had it before. */
  readonly id: string;
  /** `bundleVersion` of what it acknowledged, or was sent where nobody acknowledges. */
  readonly acknowledged: string | undefined;
  readonly rejected: { readonly version: string; readonly message: string } | undefined;
}

/** Envoy comes back within 30 s, whatever its back-off. */
const returnMillis = 35_000;

/**
 * Tells what local streams have of a version. A stream that ended is counted as one that waits for a while, and so is the time after a restart of the agent: an Envoy that is coming back still has
 * the bundle that it had, and a version is not to be acknowledged behind its back.
 */
export class LocalStanding {
  readonly #monotonicMillis: () => number;
  /** Everybody who was here had it. */
  #settled: string | undefined;
  #ids: ReadonlySet<string> = new Set();
  #untilMillis: number;

  /** `kept`: the version that was served before the agent was started; undefined: none was. */
  constructor(monotonicMillis: () => number, kept: string | undefined) {
    this.#monotonicMillis = monotonicMillis;
    this.#settled = kept;
    this.#untilMillis = kept === undefined ? 0 : monotonicMillis() + returnMillis;
  }

  of(version: string, streams: readonly LocalStream[]): BundleStanding {
    const nowMillis = this.#monotonicMillis();
    const ids = new Set(streams.map(({ id }) => id));
    if ([...this.#ids].some((id) => !ids.has(id))) this.#untilMillis = nowMillis + returnMillis;
    this.#ids = ids;
    const rejected = streams.find((stream) => stream.rejected?.version === version)?.rejected?.message;
    const behind = streams.filter(({ acknowledged }) => acknowledged !== version).length;
    const away = version !== this.#settled && nowMillis < this.#untilMillis ? 1 : 0;
    if (behind + away === 0) this.#settled = version;
    return { waiting: behind + away, rejected };
  }
}
