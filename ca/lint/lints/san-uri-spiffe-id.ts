import { parseSpiffeId } from "#identity/spiffe-id";
import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Upper case, escapes, ports and dots that climb are how one identity is made to look like another. */
export const sanUriSpiffeId: Lint = {
  id: "san_uri_spiffe_id",
  citation: "SPIFFE-ID §2, X509-SVID §2",
  what: "The URI is a SPIFFE ID.",
  profiles: everyProfile,
  check({ uris }) {
    for (const uri of uris) {
      const parsed = parseSpiffeId(uri);
      if (!parsed.ok) return `expected a SPIFFE ID, found ${shownText(uri)} (${parsed.fault})`;
    }
    return undefined;
  },
};
