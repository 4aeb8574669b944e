import type { DeltaUpdate } from "../contract.ts";

/** An update with its place among the others. */
export interface ReceivedUpdate {
  readonly number: number;
  readonly update: DeltaUpdate;
}

/** What a client has accepted of each name, in whatever order it accepts. */
export interface AcceptedVersions {
  /** By name: what the server need not send again. */
  versions(): ReadonlyMap<string, string>;
  receive(update: DeltaUpdate): ReceivedUpdate;
  /** What came later and was accepted before stays. */
  accept(received: ReceivedUpdate): void;
}

export function createAcceptedVersions(initial: ReadonlyMap<string, string>): AcceptedVersions {
  const versions = new Map(initial);
  /** Number of the update that told the last that was accepted of a name. */
  const numbers = new Map<string, number>();
  let received = 0;
  const isNewest = (name: string, number: number) => {
    if ((numbers.get(name) ?? 0) > number) return false;
    numbers.set(name, number);
    return true;
  };
  return {
    versions: () => versions,
    receive: (update) => ({ number: ++received, update }),
    accept({ number, update: { resources, removed } }) {
      for (const { name, version } of resources) if (isNewest(name, number)) versions.set(name, version);
      for (const name of removed) if (isNewest(name, number)) versions.delete(name);
    },
  };
}
