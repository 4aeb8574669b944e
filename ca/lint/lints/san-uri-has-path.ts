import { parseSpiffeId } from "#identity/spiffe-id";
import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

/** Without one it is the trust domain's own, which belongs to its authorities. */
export const sanUriHasPath: Lint = {
  id: "san_uri_has_path",
  citation: "X509-SVID §3.1, §5.2",
  what: "The SPIFFE ID of a leaf has a path.",
  profiles: leaves,
  check({ uris }) {
    const parsed = uris.map((uri) => parseSpiffeId(uri)).find((id) => id.ok && id.id.path === "");
    return parsed?.ok === true ? `expected a path, found ${shownText(String(parsed.id))}` : undefined;
  },
};
