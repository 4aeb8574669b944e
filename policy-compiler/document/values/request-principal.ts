import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { TextTest, ValueTest } from "#policy-compiler/ruleset/model";

/**
 * A value of `requestPrincipals` or `request.auth.principal` as two tests, of the claims `iss` and `sub`. The value is cut at
 * its last slash; where a star stands at an end of the whole value, only one half is a pattern (Istio's
 * requestPrincipalGenerator). `present` means a non-empty string. Total.
 */
export function parseRequestPrincipal(text: string): ValueTest {
  const slash = text.lastIndexOf("/");
  const iss = slash === -1 ? text : text.slice(0, slash);
  const sub = slash === -1 ? "" : text.slice(slash + 1);
  if (text === "*") return both(present, present);
  if (text.startsWith("*")) {
    if (slash === -1) return both(present, suffix(text.slice(1)));
    return both(iss === "*" ? present : suffix(iss.slice(1)), exact(sub));
  }
  if (text.endsWith("*")) {
    if (slash === -1) return both(prefix(text.slice(0, -1)), present);
    return both(exact(iss), sub === "*" ? present : prefix(sub.slice(0, -1)));
  }
  return both(exact(iss), exact(sub));
}

const present: TextTest = { op: "present" };
const exact = (text: string): TextTest => ({ op: "exact", text: toByteString(text) });
const prefix = (text: string): TextTest => ({ op: "prefix", text: toByteString(text) });
const suffix = (text: string): TextTest => ({ op: "suffix", text: toByteString(text) });
const both = (iss: TextTest, sub: TextTest): ValueTest => ({ kind: "requestPrincipal", iss, sub });
