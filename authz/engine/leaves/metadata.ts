import { type Maybe, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString, TextTest } from "#policy-compiler/ruleset/model";
import { FALSE, TRUE, type Truth, UNSURE } from "../kleene.ts";
import { matchesText } from "./text.ts";

/** A leaf on dynamic metadata: `list` wants a list with a string that passes, else a string that passes. */
export function testMetadata(list: boolean, test: TextTest, value: Maybe<ByteString | readonly ByteString[]>): Truth {
  if (value === UNKNOWN) return UNSURE;
  if (value === undefined) return FALSE;
  if (typeof value === "string") return !list && matchesText(test, value) ? TRUE : FALSE;
  return list && value.some((item) => matchesText(test, item)) ? TRUE : FALSE;
}
