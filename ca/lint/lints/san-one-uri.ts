import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Validators must refuse several, the same one twice included. */
export const sanOneUri: Lint = {
  id: "san_one_uri",
  citation: "X509-SVID §2, §5.2",
  what: "There is exactly one URI among the names.",
  profiles: everyProfile,
  check: ({ subjectAltName, uris }) =>
    subjectAltName === undefined || uris.length === 1 ? undefined : `expected one URI, found ${uris.length}`,
};
