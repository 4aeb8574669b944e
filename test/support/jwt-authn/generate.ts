import type { Random } from "#test/support/random";
import type { PolicySetLine, RequestCase } from "../cases/case.ts";
import type { KeyRing } from "./keys.ts";
import { randomPolicies } from "./random-policies.ts";
import { randomRequest } from "./random-request.ts";

export interface GeneratedCase {
  readonly setting: PolicySetLine;
  /** Names its set, and the present as its `now`. */
  readonly case: RequestCase;
  /** Of each token, its fault or `good`. */
  readonly stories: readonly string[];
}

export interface CaseWishes {
  readonly random: Random;
  readonly keys: KeyRing;
  /** At least so many. */
  readonly tokens: number;
  /** Unix seconds: the present of whoever is asked. */
  readonly now: number;
  /** They are asked at `now` to the second; else times keep half a minute away from where they begin to count. */
  readonly clockStands?: boolean;
}

/**
 * Policy sets with requests whose tokens are signed with keys made for this run. About half of the requests come through. Equal seeds give equal
 * policies and requests, but for keys and signatures.
 */
export function generateCases(wishes: CaseWishes): readonly GeneratedCase[] {
  const { random, keys, tokens, now, clockStands = false } = wishes;
  const sources = { now, clockStands, ...keys };
  const cases: GeneratedCase[] = [];
  let made = 0;
  for (let ordinal = 0; made < tokens; ordinal++) {
    const draft = randomPolicies(random, `g${ordinal}`, keys.known);
    for (let i = 0; i < 12; i++) {
      const { request, tokens: placed } = randomRequest(random, draft, sources);
      made += placed.length;
      cases.push({
        setting: draft.set,
        case: { name: `g${ordinal}-${i}`, use: draft.set.policySet, now, request },
        stories: placed.map(({ story }) => story),
      });
    }
  }
  return cases;
}
