import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { tbsDifference } from "../tbs-difference.ts";

/** What was read is what stands there, by a second reader: nothing of the bytes that are signed went unseen. */
export const membersAsWritten: Lint = {
  id: "members_as_written",
  citation: "RFC 5280 §4.1",
  what: "Taken apart by a second reader, the bytes have exactly the members that the first reader told, in their order, and nothing more.",
  profiles: everyProfile,
  check: ({ body }) => tbsDifference(body),
};
