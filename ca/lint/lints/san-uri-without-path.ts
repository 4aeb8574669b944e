import { parseSpiffeId } from "#identity/spiffe-id";
import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** It names the trust domain that it signs for. */
export const sanUriWithoutPath: Lint = {
  id: "san_uri_without_path",
  citation: "X509-SVID §3.2",
  what: "The SPIFFE ID of an authority has no path.",
  profiles: authorities,
  check({ uris }) {
    const parsed = uris.map((uri) => parseSpiffeId(uri)).find((id) => id.ok && id.id.path !== "");
    return parsed?.ok === true ? `expected a trust domain alone, found ${shownText(String(parsed.id))}` : undefined;
  },
};
