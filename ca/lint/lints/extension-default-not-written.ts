import type { Lint } from "../contract.ts";
import { extensionName } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** Not DER: another encoder would leave it out, and the signature would no longer fit. */
export const extensionDefaultNotWritten: Lint = {
  id: "extension_default_not_written",
  citation: "X.690 §11.5, RFC 5280 §4.2",
  what: "`critical` is not written where it is false.",
  profiles: everyProfile,
  check({ body }) {
    const written = body.extensions.find(({ defaultWritten }) => defaultWritten);
    return written === undefined
      ? undefined
      : `${extensionName(written.oid)}: expected no \`critical\` where it is false, found one`;
  },
};
