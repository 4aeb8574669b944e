import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** The one thing that an authority must never get wrong. */
export const sanUriAsGranted: Lint = {
  id: "san_uri_as_granted",
  citation: "Garita's profile",
  what: "The URI is the granted SPIFFE ID, byte by byte.",
  profiles: everyProfile,
  check({ uris }, { grantedId }) {
    const other = uris.find((uri) => uri !== grantedId);
    return other === undefined
      ? undefined
      : `expected ${grantedId === undefined ? "no URI" : shownText(grantedId)}, found ${shownText(other)}`;
  },
};
