import { type Maybe, type PeerNames, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString, ValueTest } from "#policy-compiler/ruleset/model";
import { type Gap, matchGlobs } from "#policy-compiler/ruleset/patterns/globs";
import { FALSE, TRUE, type Truth, UNSURE } from "../kleene.ts";
import { isDot, isDots } from "./dots.ts";
import { matchesText } from "./text.ts";

export type IdentityTest = Extract<ValueTest, { kind: "principal" | "namespace" | "serviceAccount" | "trustDomain" }>;

/**
 * One value of `principals`, `namespaces`, `serviceAccounts` or `trustDomains`, made ready. `matches` tells of one name;
 * `mayHold` of a joined list of names whether one of them may match (a literal of the pattern that does not occur in it at all
 * rules that out); `everyName`: a lone `*`, which no list of names escapes.
 */
export interface IdentityMatcher {
  readonly matches: (name: ByteString) => boolean;
  readonly literals: readonly ByteString[];
  readonly everyName: boolean;
}

const SCHEME = "spiffe://";
const some: Gap = { min: 0, holds: isDot };
const atLeastOne: Gap = { min: 1, holds: isDot };

/** What a peer's names say of a matcher. Not authenticated (absent): false. */
export function testIdentity(matcher: IdentityMatcher, peer: Maybe<PeerNames>): Truth {
  if (peer === UNKNOWN) return UNSURE;
  if (peer === undefined) return FALSE;
  for (const name of peer.names) if (matcher.matches(name)) return TRUE;
  let result: Truth = peer.complete ? FALSE : UNSURE;
  for (const list of peer.opaque) {
    if (matcher.everyName) {
      // `.+` wants text without newlines; where the list has one, some name of it may still do.
      if (matcher.matches(list)) return TRUE;
      if (list.length > 0) result = UNSURE;
    } else if (matcher.literals.every((literal) => list.includes(literal))) {
      result = UNSURE;
    }
  }
  return result;
}

/** Makes the matcher of one value. */
export function identityMatcher(test: IdentityTest): IdentityMatcher {
  switch (test.kind) {
    case "principal":
      return principalMatcher(test);
    case "namespace":
      return namespaceMatcher(test.pieces);
    case "serviceAccount":
      return serviceAccountMatcher(test.namespace, test.name);
    case "trustDomain":
      return trustDomainMatcher(test);
  }
}

function principalMatcher({ test }: Extract<IdentityTest, { kind: "principal" }>): IdentityMatcher {
  if (test.op === "present") return { matches: (name) => matchesText(test, name), literals: [], everyName: true };
  if (test.op !== "suffix")
    return { matches: (name) => matchesText(test, name), literals: [test.text], everyName: false };
  const matches = (name: ByteString) => {
    const end = name.length - test.text.length;
    return (
      end >= SCHEME.length && name.startsWith(SCHEME) && name.endsWith(test.text) && isDots(name, SCHEME.length, end)
    );
  };
  return { matches, literals: [SCHEME, test.text], everyName: false };
}

/** `.*` `/ns/` piece `.*` piece … `/` `.*` over the whole name. */
function namespaceMatcher(pieces: readonly ByteString[]): IdentityMatcher {
  const literals = pieces.map((piece, i) => `${i === 0 ? "/ns/" : ""}${piece}${i === pieces.length - 1 ? "/" : ""}`);
  const around = ["", ...literals, ""];
  const gaps = new Array<Gap>(around.length - 1).fill(some);
  const withNewline = pieces.some((piece) => piece.includes("\n"));
  const matches = (name: ByteString) => {
    if (!inOrder(name, literals)) return false;
    if (isDots(name, 0, name.length)) return true;
    // Only a literal can stand for a newline.
    return withNewline && matchGlobs(name, around, gaps);
  };
  return { matches, literals, everyName: false };
}

/** Taking the leftmost place for each literal leaves the most room for the others. */
function inOrder(name: ByteString, literals: readonly ByteString[]): boolean {
  let from = 0;
  for (const literal of literals) {
    const at = name.indexOf(literal, from);
    if (at < 0) return false;
    from = at + literal.length;
  }
  return true;
}

/** `spiffe://.+/ns/NS/(?:.+/)?sa/SA(?:/.+)?` over the whole name. */
function serviceAccountMatcher(namespace: ByteString, account: ByteString): IdentityMatcher {
  const head = `/ns/${namespace}/`;
  const tail = `/sa/${account}`;
  const withNewline = namespace.includes("\n") || account.includes("\n");
  const matches = (name: ByteString) => {
    if (!name.startsWith(SCHEME)) return false;
    if (isDots(name, 0, name.length)) return hasAccount(name, head, tail);
    return withNewline && globAccount(name, head, tail);
  };
  return { matches, literals: [SCHEME, head, `sa/${account}`], everyName: false };
}

function hasAccount(name: ByteString, head: ByteString, tail: ByteString): boolean {
  const first = name.indexOf(head, SCHEME.length + 1);
  if (first < 0) return false;
  // The last account that ends well has the most room before it.
  for (let at = name.lastIndexOf(tail); at > first; at = name.lastIndexOf(tail, at - 1)) {
    if (!endsWell(name, at + tail.length)) continue;
    if (at > first + head.length) return true;
    break;
  }
  for (let at = first; at >= 0; at = name.indexOf(head, at + 1)) {
    // The slash that ends the namespace begins `/sa/`.
    const account = at + head.length - 1;
    if (name.startsWith(tail, account) && endsWell(name, account + tail.length)) return true;
  }
  return false;
}

/** At the end, or before a slash and at least one character. */
function endsWell(name: ByteString, end: number): boolean {
  return end === name.length || (name.charCodeAt(end) === 0x2f && end + 1 < name.length);
}

function globAccount(name: ByteString, head: ByteString, tail: ByteString): boolean {
  const adjacent = head + tail.slice(1);
  return (
    matchGlobs(name, [SCHEME, adjacent], [atLeastOne]) ||
    matchGlobs(name, [SCHEME, `${adjacent}/`, ""], [atLeastOne, atLeastOne]) ||
    matchGlobs(name, [SCHEME, head, tail], [atLeastOne, atLeastOne]) ||
    matchGlobs(name, [SCHEME, head, `${tail}/`, ""], [atLeastOne, atLeastOne, atLeastOne])
  );
}

function trustDomainMatcher(test: Extract<IdentityTest, { kind: "trustDomain" }>): IdentityMatcher {
  if (test.op === "any") return { matches: (name) => name.startsWith(SCHEME), literals: [SCHEME], everyName: false };
  if (test.op === "exact") {
    const begin = `${SCHEME}${test.text}/`;
    return { matches: (name) => name.startsWith(begin), literals: [begin], everyName: false };
  }
  const begin = SCHEME + test.before;
  const end = `${test.after}/`;
  const slash = end.indexOf("/");
  const matches = (name: ByteString) => {
    if (!name.startsWith(begin)) return false;
    // `[^/]*` ends at the first slash or before it, and the text that follows holds that slash at a known place.
    const at = name.indexOf("/", begin.length) - slash;
    return at >= begin.length && name.startsWith(end, at) && isDots(name, at + end.length, name.length);
  };
  return { matches, literals: [begin, end], everyName: false };
}
