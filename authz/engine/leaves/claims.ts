import { type Claims, type Maybe, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString, TextTest } from "#policy-compiler/ruleset/model";
import { and, FALSE, TRUE, type Truth, UNSURE } from "../kleene.ts";
import { matchesText } from "./text.ts";

/** The claim at a path: undefined when a step is missing or leads into something that is no object. */
export function claimAt(claims: Claims, path: readonly ByteString[]): unknown {
  let value: unknown = claims;
  for (const step of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** A claim leaf: the claim is a string that passes, or a list with a string that does. Lists in lists are not opened. */
export function testClaim(test: TextTest, path: readonly ByteString[], claims: Maybe<Claims>): Truth {
  if (claims === UNKNOWN) return UNSURE;
  if (claims === undefined) return FALSE;
  const value = claimAt(claims, path);
  if (typeof value === "string") return matchesText(test, value) ? TRUE : FALSE;
  if (!Array.isArray(value)) return FALSE;
  for (const item of value) if (typeof item === "string" && matchesText(test, item)) return TRUE;
  return FALSE;
}

/** `requestPrincipals`: the claims `iss` and `sub` are strings and each passes its own test. */
export function testRequestPrincipal(iss: TextTest, sub: TextTest, claims: Maybe<Claims>): Truth {
  if (claims === UNKNOWN) return UNSURE;
  if (claims === undefined) return FALSE;
  return and(testString(iss, claimAt(claims, ["iss"])), testString(sub, claimAt(claims, ["sub"])));
}

function testString(test: TextTest, value: unknown): Truth {
  return typeof value === "string" && matchesText(test, value) ? TRUE : FALSE;
}
