import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

/** A subject has no meaning to SPIFFE, and would have one to others. */
export const leafSubjectEmpty: Lint = {
  id: "leaf_subject_empty",
  citation: "Garita's profile, X509-SVID §3.1",
  what: "The subject of a leaf is empty.",
  profiles: leaves,
  check: ({ body, subject }) =>
    subject?.length === 0 ? undefined : `expected an empty subject, found ${shownBytes(body.subjectDer)}`,
};
