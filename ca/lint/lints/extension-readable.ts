import type { Lint } from "../contract.ts";
import { extensionName, extensionOids } from "../extension-oids.ts";
import type { LintSubject } from "../lint-subject.ts";
import { everyProfile } from "../profile-sets.ts";

const read: readonly (readonly [string, (subject: LintSubject) => unknown])[] = [
  [extensionOids.subjectKeyId, (subject) => subject.subjectKeyId],
  [extensionOids.keyUsage, (subject) => subject.keyUsage],
  [extensionOids.subjectAltName, (subject) => subject.subjectAltName],
  [extensionOids.basicConstraints, (subject) => subject.basicConstraints],
  [extensionOids.authorityKeyId, (subject) => subject.authorityKeyId],
  [extensionOids.extendedKeyUsage, (subject) => subject.extendedKeyUsage],
];

/** The other lints say nothing of what cannot be read. */
export const extensionReadable: Lint = {
  id: "extension_readable",
  citation: "RFC 5280 §4.2.1",
  what: "Every extension of the profile is of the form that the RFC gives it.",
  profiles: everyProfile,
  check(subject) {
    for (const [oid, value] of read)
      if (value(subject) === undefined && subject.extension(oid) !== undefined)
        return `expected ${extensionName(oid)} in its form, found something else`;
    return undefined;
  },
};
