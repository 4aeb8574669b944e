import assert from "node:assert/strict";
import type { KeySource } from "#identity/key-set/key-source";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import type { Attempt } from "#identity/key-sources/remote-source";
import { createFakeIssuers, type FakeIssuers } from "./fake-issuers.ts";
import { createFakeTime, type FakeTime, settle } from "./fake-time.ts";

/** In milliseconds. */
export const minute = 60_000;
/** In milliseconds. */
export const day = 24 * 60 * minute;
/** Where the keys of `source` are. */
export const uri = "https://issuer.example/keys";
/** The source that most tests follow. */
export const source = { kind: "uri", id: "a", uri, timeoutMillis: undefined } as const satisfies KeySource;

/** A store of key sets whose issuers, clock and timers are the test's. */
export interface Stage {
  readonly time: FakeTime;
  readonly issuers: FakeIssuers;
  readonly store: KeySetStore;
  readonly attempts: Attempt[];
  readonly changes: () => number;
  settings: { refreshMillis: number; maxStaleMillis: number };
}

/** A store over fakes; `random` 0: jitter takes nothing away. */
export function stage(random: () => number = () => 0): Stage {
  const time = createFakeTime();
  const issuers = createFakeIssuers();
  const attempts: Attempt[] = [];
  const settings = { refreshMillis: 5 * minute, maxStaleMillis: 7 * day };
  const store = createKeySetStore({
    fetchDocument: issuers.fetchDocument,
    clock: time,
    timers: time,
    random,
    settings: () => settings,
    onAttempt: (attempt) => attempts.push(attempt),
  });
  let changes = 0;
  store.onChange(() => changes++);
  return { time, issuers, store, attempts, changes: () => changes, settings };
}

/** Ids of a source's keys, or what it is instead of keys. */
export function kidsOf(store: KeySetStore, id = "a"): readonly string[] | string {
  const state = store.current().of(id);
  return state.kind === "keys" ? state.keys.keys.map(({ kid }) => kid) : state.kind;
}

/** Of a source that has keys. */
export function versionOf(store: KeySetStore, id = "a"): number {
  const state = store.current().of(id);
  assert.equal(state.kind, "keys");
  return state.kind === "keys" ? state.keys.version : -1;
}

/** The store follows these sources, and what could be fetched at once has been. */
export const followed = async (the: Stage, ...sources: readonly KeySource[]) => {
  const done = the.store.follow(sources, minute);
  await settle();
  return done;
};
