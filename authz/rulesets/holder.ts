import type { EquippedRules, Snapshot } from "#authz/check/contract";

/** The rule set in force, and what it was equipped with. */
export interface Holder {
  /** What a request pins on its first line. Undefined until a rule set is in force. */
  snapshot(): Snapshot | undefined;
  /** Puts another rule set in force, by one assignment: requests that have pinned the old one finish with it. */
  swap(next: EquippedRules): void;
  /** The same rules with other keys of their issuers, by one assignment too. */
  renewKeys(keySets: Snapshot["keySets"]): void;
  /** The same rules with the deny list that is known now, by one assignment too. */
  renewDenyList(): void;
}

/** INVARIANT: rules that come into force, however long they were on their way, have the deny list of that instant. */
export function createHolder(denyList: () => Snapshot["denyList"]): Holder {
  let current: Snapshot | undefined;
  return {
    snapshot: () => current,
    swap(next) {
      current = { ...next, denyList: denyList() };
    },
    renewKeys(keySets) {
      if (current !== undefined) current = { ...current, keySets };
    },
    renewDenyList() {
      if (current !== undefined) current = { ...current, denyList: denyList() };
    },
  };
}
