import type { CustomProviders } from "#authz/custom/contract";
import type { Engine } from "#authz/engine/contract";
import type { KeySets } from "#identity/key-sources/contract";
import type { Snapshot } from "./contract.ts";

const noKeySets: KeySets = { of: () => ({ kind: "unfetched" }) };
const noProviders: CustomProviders = { find: () => undefined, why: () => "this program asks no providers" };

/** A snapshot of rules alone: no issuer's keys are known, and no provider can be asked, so that both fail closed; nothing is revoked. */
export function snapshotOfRules(engine: Engine): Snapshot {
  return { engine, keySets: noKeySets, providers: noProviders, denyList: undefined };
}
