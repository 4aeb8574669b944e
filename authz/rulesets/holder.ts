import type { Snapshot } from "#authz/check/contract";

/** The rule set in force, and what it was equipped with. */
export interface Holder {
  /** What a request pins on its first line. Undefined until a rule set is in force. */
  snapshot(): Snapshot | undefined;
  /** Puts another rule set in force, by one assignment: requests that have pinned the old one finish with it. */
  swap(next: Snapshot): void;
  /** The same rules with other keys of their issuers, by one assignment too. */
  renewKeys(keySets: Snapshot["keySets"]): void;
}

export function createHolder(): Holder {
  let current: Snapshot | undefined;
  return {
    snapshot: () => current,
    swap(next) {
      current = next;
    },
    renewKeys(keySets) {
      if (current !== undefined) current = { ...current, keySets };
    },
  };
}
