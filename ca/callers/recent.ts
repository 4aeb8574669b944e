import { LRUCache } from "lru-cache";

/** What was found good is believed for so long at most. */
export const recentMillis = 60_000;

export interface RecentLimits {
  readonly maxEntries: number;
  /** Of what is kept, as estimated by whoever keeps it. */
  readonly maxBytes: number;
}

/** What was found good a moment ago. Bounded. */
export interface Recent<T> {
  /** Undefined: nothing, or not any more. A clock that was set back forgets what was found later. */
  get(key: string, nowMillis: number): T | undefined;
  /** Kept for a minute, and until `endsMillis` at most (not included). */
  set(
    key: string,
    value: T,
    when: { readonly nowMillis: number; readonly endsMillis: number },
    sizeBytes: number,
  ): void;
  drop(key: string): void;
}

/** An empty memory. What was asked for longest ago goes first. */
export function createRecent<T extends object>({ maxEntries, maxBytes }: RecentLimits): Recent<T> {
  const entries = new LRUCache<
    string,
    { readonly value: T; readonly sinceMillis: number; readonly untilMillis: number }
  >({
    max: maxEntries,
    maxSize: maxBytes,
  });
  return {
    get(key, nowMillis) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.sinceMillis <= nowMillis && nowMillis < entry.untilMillis) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, { nowMillis, endsMillis }, sizeBytes) {
      const untilMillis = Math.min(nowMillis + recentMillis, endsMillis);
      entries.set(key, { value, sinceMillis: nowMillis, untilMillis }, { size: Math.ceil(sizeBytes) });
    },
    drop: (key) => void entries.delete(key),
  };
}
