import type { ClaimSelector } from "./contract.ts";

/** What a token says at a path of claims; undefined when there is nothing. Members that every object inherits are none. Total. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** The texts of a claim: itself, or the texts of a list. Numbers, booleans and objects are no texts and become none. */
export function textsOf(claim: unknown): readonly string[] {
  if (typeof claim === "string") return [claim];
  return Array.isArray(claim) ? claim.filter((item) => typeof item === "string") : [];
}

/** Does the token say what the selector asks for? */
export function holdsClaim({ path, values }: ClaimSelector, claims: Readonly<Record<string, unknown>>): boolean {
  return textsOf(claimAt(claims, path)).some((text) => values.includes(text));
}
