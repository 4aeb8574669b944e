import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** Authorities of RFC 5280 write UTF8String or PrintableString; ours write one of them, so that bytes stay comparable. */
export const subjectUtf8String: Lint = {
  id: "subject_utf8_string",
  citation: "RFC 5280 §4.1.2.4, §4.1.2.6",
  what: "Attributes of an authority's subject are UTF8Strings of valid UTF-8.",
  profiles: authorities,
  check({ subject }) {
    for (const { oid, stringTag, bytes } of subject ?? []) {
      if (stringTag !== 0x0c) return `expected a UTF8String in ${oid}, found the tag ${stringTag}`;
      if (Buffer.compare(Buffer.from(Buffer.from(bytes).toString("utf8")), bytes) !== 0)
        return `expected UTF-8 in ${oid}, found other bytes`;
    }
    return undefined;
  },
};
