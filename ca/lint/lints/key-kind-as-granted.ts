import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** What else depends on the kind (key usage above all) was decided for the granted one. */
export const keyKindAsGranted: Lint = {
  id: "key_kind_as_granted",
  citation: "Garita's profile",
  what: "The public key is of the granted kind.",
  profiles: everyProfile,
  check: ({ publicKey }, { subjectKeyKind }) =>
    publicKey === undefined || publicKey.kind === subjectKeyKind
      ? undefined
      : `expected ${subjectKeyKind}, found ${publicKey.kind}`,
};
