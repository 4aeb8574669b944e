import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

const { nameConstraints: _, ...ours } = extensionOids;
const known: ReadonlySet<string> = new Set(Object.values(ours));

/** What nobody asked for was smuggled in. */
export const extensionKnown: Lint = {
  id: "extension_known",
  citation: "Garita's profile, RFC 5280 §4.2",
  what: "There are only extensions of the profile: subject and authority key identifiers, key usage, subject alternative name, basic constraints, extended key usage.",
  profiles: everyProfile,
  check({ body: { extensions } }) {
    const other = extensions.find(({ oid }) => !known.has(oid));
    return other === undefined ? undefined : `expected extensions of the profile, found ${other.oid}`;
  },
};
