import type { KeySource } from "#identity/key-set/key-source";
import type { FetchDocument, KeySetStore, KeySets, KeySourceStatus, KeyState } from "./contract.ts";
import { readKeys } from "./load-keys.ts";

import { type Attempt, createRemoteSource, type RemoteSource, type StoreClock, type Timers } from "./remote-source.ts";
import { createSharedFetch } from "./shared-fetch.ts";
import { nameOfSource, shownKey } from "./shown.ts";
import type { RefreshSettings } from "./timing.ts";
import { renewedKeySet } from "./versions.ts";

export interface KeySetStoreParts {
  readonly fetchDocument: FetchDocument;
  readonly clock: StoreClock;
  readonly timers: Timers;
  /** 0 to 1, without 1. For jitter only. */
  readonly random: () => number;
  /** Asked for whenever it matters: a change counts from the next attempt of each source on. */
  readonly settings: () => RefreshSettings;
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** What is no longer followed is kept for so long, for policies that are edited back and forth, and for requests on the way. */
const keptMillis = 10 * 60_000;
/** So many at most; those that left first go first. */
const maxKept = 256;

/** One followed source: on the network, or in the policy. */
type Entry = Pick<RemoteSource, "state" | "status" | "refresh" | "attempted" | "missed" | "pause" | "resume" | "end">;

/**
 * Keeps the keys of issuers. A source that is no longer followed keeps its keys for ten minutes, unrefreshed, and is `unfetched` then. Listeners of
 * `onChange` must not throw.
 */
export function createKeySetStore(parts: KeySetStoreParts): KeySetStore {
  const { timers } = parts;
  const fetcher = createSharedFetch(parts.fetchDocument);
  const followed = new Map<string, Entry>();
  const kept = new Map<string, { readonly entry: Entry; readonly cancel: () => void }>();
  const listeners = new Set<() => void>();
  let current: KeySets = createKeySets(new Map());
  let stopped = false;

  const publish = (): void => {
    const states = new Map<string, KeyState>();
    for (const [id, { entry }] of kept) states.set(id, entry.state());
    for (const [id, entry] of followed) states.set(id, entry.state());
    current = createKeySets(states);
    for (const listener of [...listeners]) listener();
  };

  const create = (source: KeySource): Entry =>
    source.kind === "inline"
      ? createInlineSource(source)
      : createRemoteSource(source, { ...parts, fetcher, onChange: publish, onAttempt: parts.onAttempt ?? (() => {}) });

  const forget = (id: string): void => {
    const old = kept.get(id);
    old?.cancel();
    kept.delete(id);
    void old?.entry.end();
  };

  const leave = (id: string, entry: Entry): void => {
    followed.delete(id);
    entry.pause();
    const expire = () => {
      forget(id);
      publish();
    };
    kept.set(id, { entry, cancel: timers.after(keptMillis, expire) });
    if (kept.size > maxKept) forget(kept.keys().next().value!);
  };

  const enter = (source: KeySource): void => {
    const old = kept.get(source.id);
    if (old === undefined) {
      const entry = create(source);
      followed.set(source.id, entry);
      void entry.refresh();
      return;
    }
    old.cancel();
    kept.delete(source.id);
    followed.set(source.id, old.entry);
    old.entry.resume();
  };

  return {
    async follow(sources, patienceMillis) {
      if (stopped) return;
      const wanted = new Map(sources.map((source) => [source.id, source]));
      for (const [id, entry] of [...followed]) if (!wanted.has(id)) leave(id, entry);
      for (const [id, source] of wanted) if (!followed.has(id)) enter(source);
      publish();
      const attempted = Promise.all([...followed.values()].map((entry) => entry.attempted));
      const patience = Promise.withResolvers<void>();
      const cancel = timers.after(patienceMillis, patience.resolve);
      await Promise.race([attempted, patience.promise]);
      cancel();
    },
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    missed(sourceId, kid) {
      followed.get(sourceId)?.missed(kid);
    },
    async refresh(sourceId) {
      const entries = sourceId === undefined ? [...followed.values()] : [followed.get(sourceId)];
      await Promise.all(entries.map((entry) => entry?.refresh()));
    },
    status: () => [...followed.values()].map((entry) => entry.status()),
    async stop() {
      stopped = true;
      fetcher.stop();
      for (const { cancel } of kept.values()) cancel();
      const entries = [...followed.values(), ...[...kept.values()].map(({ entry }) => entry)];
      await Promise.all(entries.map((entry) => entry.end()));
    },
  };
}

const unfetched: KeyState = { kind: "unfetched" };

function createKeySets(states: ReadonlyMap<string, KeyState>): KeySets {
  return { of: (sourceId) => states.get(sourceId) ?? unfetched };
}

/** A set that is written in the policy: it is there at once and never changes. */
function createInlineSource(source: KeySource & { readonly kind: "inline" }): Entry {
  const read = readKeys(source.text);
  const state: KeyState =
    read.kind === "keys" ? { kind: "keys", keys: renewedKeySet(undefined, read.keys) } : { kind: "unusable" };
  const status: KeySourceStatus = {
    name: nameOfSource(source),
    kind: "inline",
    state: state.kind,
    keys: read.kind === "keys" ? read.keys.map(shownKey) : [],
    fetchedMillis: undefined,
    attemptedMillis: undefined,
    nextMillis: undefined,
    fault: undefined,
  };
  return {
    state: () => state,
    status: () => status,
    refresh: async () => undefined,
    attempted: Promise.resolve(),
    missed: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    end: async () => undefined,
  };
}
