import type { AuthorityStore } from "#ca/authorities/authority-state";

import type { AuditEvent, AuthorityRecord } from "#ca/store/contract";
import { CodedError } from "#platform/coded-error";

/** What an authority's store does, in memory; tests look into it, and break it. */
export interface MemoryAuthorityStore extends AuthorityStore {
  records: readonly AuthorityRecord[];
  readonly events: AuditEvent[];
  generation: number;
  /** Called before and after each writing call, with the number of the call from 0 on: what it throws is the call's answer. */
  onWrite: (call: number, when: "before" | "after") => void | Promise<void>;
  readonly writes: () => number;
}

export function createMemoryAuthorityStore(records: readonly AuthorityRecord[] = []): MemoryAuthorityStore {
  let writes = 0;
  const write = async (change: () => void) => {
    const call = writes++;
    await store.onWrite(call, "before");
    change();
    await store.onWrite(call, "after");
  };
  const store: MemoryAuthorityStore = {
    records,
    events: [],
    generation: 1,
    onWrite: () => {},
    writes: () => writes,
    addAuthority: (record) =>
      write(() => {
        if (store.records.some(({ keyId }) => keyId === record.keyId)) throw new Error("the key is there already");
        store.records = [...store.records, record];
      }),
    setAuthorityStates: (states, stateMillis) =>
      write(() => {
        const wanted = new Map(states.map(({ keyId, state }) => [keyId, state]));
        if (states.some(({ keyId }) => !store.records.some((record) => record.keyId === keyId)))
          throw new Error("no such authority");
        const isOther = (record: AuthorityRecord) =>
          states.some(({ keyId, from }) => keyId === record.keyId && from !== undefined && from !== record.state);
        if (store.records.some(isOther)) throw new CodedError("ca-store/conflict", "another was first");
        store.records = store.records.map((record) => {
          const state = wanted.get(record.keyId);
          return state === undefined ? record : { ...record, state, stateMillis };
        });
      }),
    authorities: async () => store.records,
    recordEvent: (event) =>
      write(() => {
        store.events.push(event);
      }),
    status: async () => ({ generation: store.generation }),
  };
  return store;
}
